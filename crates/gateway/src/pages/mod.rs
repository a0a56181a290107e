//! Refusal pages.

#[cfg(test)]
pub(crate) mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use examiner::Certificate;

    const CERTIFICATE: &str = "MIIBeTCCAR+gAwIBAgIURD8Kv/IyrisQmt7Gz/NxudaswSgwCgYIKoZIzj0EAwIw\
        EjEQMA4GA1UECgwHPGI+TGFiPDAeFw0yNjExMjMxMTM1MTdaFw0yNzExMjMxMTM1\
        MTdaMBIxEDAOBgNVBAoMBzxiPkxhYjwwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC\
        AAQMJ99xl/kGziwpSRYaKelCEvYDcyv03nn51KVWO0F4NsjjlReFXL8ydHEpFitM\
        gz2OLP3JoHV8+3NqFPi6/nEQo1MwUTAdBgNVHQ4EFgQUe2FWzmrCZVBamU0DPLyf\
        9ulaGzgwHwYDVR0jBBgwFoAUe2FWzmrCZVBamU0DPLyf9ulaGzgwDwYDVR0TAQH/\
        BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiEAxle5zDYgLhw6f6hOK/vgIYReBizK\
        AKPsjBs1iBNq1lcCIHWOgGTlQImOVjCedOgzFq1i2FFwwFVaxsWM0Wx1oEwS";

    /// Subject and issuer `O=<b>Lab<`, until 2027-11-23.
    pub(crate) fn certificate() -> Certificate {
        Certificate::from_der(&STANDARD.decode(CERTIFICATE).unwrap()).unwrap()
    }
}
