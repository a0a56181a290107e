//! The settings of each kind of server, and what it cannot do.

use std::fmt::Write;

use super::admitted::Admitted;
use crate::cli::cert;

/// A kind of server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// nginx.
    Nginx,
    /// Apache httpd 2.4.
    Apache,
    /// HAProxy 2.4 or later.
    Haproxy,
    /// Internet Information Services on Windows.
    Iis,
}

/// What is written, and what is said.
pub struct Written {
    /// Files by name, beside the trust anchors.
    pub files: Vec<(String, String)>,
    /// Where they belong.
    pub next: String,
    /// What the server cannot do.
    pub cannot: Vec<String>,
}

/// The settings for one kind of server; the files lie in `directory`, a path of plain characters.
pub fn write(kind: Server, site: &str, directory: &str, admitted: &Admitted) -> Written {
    let mut written = match kind {
        Server::Nginx => nginx(directory, admitted),
        Server::Apache => apache(directory, admitted),
        Server::Haproxy => haproxy(site, directory, admitted),
        Server::Iis => iis(site, admitted),
    };
    let everywhere = [
        "A party that is added, suspended or revoked is so there only after the next export and reload.",
        "A connection that is open stays open: whoever is no longer listed keeps it until it ends.",
        "A refusal says nothing of its reason, and nobody who is refused becomes pending.",
        "Ends of access other than the certificate's own (a replaced certificate, an exception's last day) come with the \
         next export.",
        "Paths that are open to anyone on the gate are closed there.",
    ];
    written.cannot.extend(everywhere.map(str::to_owned));
    written
}

/// The longest word that nginx reads in its settings, with room for its quotes.
const NGINX_WORD: usize = 4000;

/// nginx knows a certificate by its whole text: its fingerprint would be SHA-1.
fn nginx(directory: &str, admitted: &Admitted) -> Written {
    let mut cannot = vec![
        "nginx verifies up to a self-signed root alone: a partner's CA that is an intermediate wants its root in \
         anchors.pem."
            .to_owned(),
    ];
    let mut map = String::from(
        "# In the http block: who may enter, by the whole certificate.\nmap_hash_bucket_size 16384;\nmap_hash_max_size 65536;\n\
         map $ssl_client_escaped_cert $countersign_party {\n    default \"\";\n",
    );
    for one in &admitted.certificates {
        let pem = examiner::cert::pem::encode("CERTIFICATE", &one.der);
        let key = escaped(&pem);
        if key.len() > NGINX_WORD {
            cannot.push(format!(
                "Left out: {} ({}): its certificate is longer than a word of nginx's settings may be.",
                one.party,
                plain(&one.label)
            ));
            continue;
        }
        let _ = writeln!(map, "    # {}, {}\n    \"{key}\" \"{}\";", one.party, plain(&one.label), one.party);
    }
    map += "}\n";
    let site = format!(
        "# In the server block of the site.\nssl_client_certificate {directory}/anchors.pem;\nssl_verify_client on;\n\
         ssl_verify_depth 4;\n# A resumed session would carry an admission past its end.\nssl_session_cache off;\n\
         ssl_session_tickets off;\nif ($countersign_party = \"\") {{ return 403; }}\n"
    );
    Written {
        files: vec![("allow.conf".into(), map), ("site.conf".into(), site)],
        next: format!(
            "In the http block:                include {directory}/allow.conf;\n\
             In the server block of the site:  include {directory}/site.conf;\n\
             Then:                             nginx -t && nginx -s reload\n\
             The party's name is in $countersign_party.\n"
        ),
        cannot,
    }
}

fn apache(directory: &str, admitted: &Admitted) -> Written {
    let mut site = format!(
        "# In the VirtualHost of the site.\nSSLCACertificateFile {directory}/anchors.pem\nSSLVerifyClient require\n\
         SSLVerifyDepth 4\n# A resumed session would carry an admission past its end.\nSSLSessionTickets off\n\
         <Location \"/\">\n  <RequireAny>\n"
    );
    for one in &admitted.certificates {
        let pem = examiner::cert::pem::encode("CERTIFICATE", &one.der);
        let _ = writeln!(
            site,
            "    # {}, {}\n    Require expr \"sha1(%{{SSL_CLIENT_CERT}}) == '{}'\"",
            one.party,
            plain(&one.label),
            cert::sha1(pem.as_bytes())
        );
    }
    site += "  </RequireAny>\n</Location>\n";
    Written {
        files: vec![("site.conf".into(), site)],
        next: format!(
            "In the VirtualHost of the site:  Include {directory}/site.conf\n\
             For the whole server:            SSLSessionCache none\n\
             Then:                            apachectl configtest && apachectl graceful\n"
        ),
        cannot: vec![
            "Apache's expressions know no better digest than SHA-1, here of the certificate's text; the chain is verified \
             besides."
                .into(),
            "Another Location or Directory with a Require of its own replaces the list for its part.".into(),
            "Apache verifies up to a self-signed root alone: a partner's CA that is an intermediate wants its root in \
             anchors.pem."
                .into(),
        ],
    }
}

fn haproxy(site: &str, directory: &str, admitted: &Admitted) -> Written {
    let mut list = String::from("# SHA-256 of each certificate that may enter.\n");
    for one in &admitted.certificates {
        let _ =
            writeln!(list, "# {}, {}\n{}", one.party, plain(&one.label), one.thumbprint.to_ascii_uppercase());
    }
    let lines = format!(
        "# In the frontend of {site}; the bind line beside its own certificate.\n\
         bind :443 ssl crt /etc/haproxy/{site}.pem ca-file {directory}/anchors.pem verify required no-tls-tickets\n\
         http-request deny deny_status 403 unless {{ ssl_c_der,sha2(256),hex -m str -f {directory}/allow.lst }}\n"
    );
    Written {
        files: vec![("allow.lst".into(), list), ("site.cfg".into(), lines.clone())],
        next: format!(
            "{lines}For the whole server, in global: tune.ssl.cachesize 0\n\
             Then: haproxy -c -f /etc/haproxy/haproxy.cfg && systemctl reload haproxy\n"
        ),
        cannot: vec![
            "HAProxy asks for certificates by address: every site behind the same bind line asks its visitors too.".into(),
        ],
    }
}

fn iis(site: &str, admitted: &Admitted) -> Written {
    let mut script = format!(
        "# PowerShell as administrator, where this file lies. Every mapping logs on as one Windows account, which needs no right \
         but to read the site.\nImport-Module WebAdministration\n$site = (Get-WebBinding -Protocol https -HostHeader '{site}' | \
         Select-Object -First 1).ItemXPath -replace \".*@name='([^']+)'.*\", '$1'\n\
         $account = Get-Credential -Message 'The account of admitted visitors'\n\
         $pem = Get-Content -Raw anchors.pem\n\
         [regex]::Matches($pem, '(?s)-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----') | ForEach-Object {{\n  \
         $one = [Security.Cryptography.X509Certificates.X509Certificate2]::new([Convert]::FromBase64String($_.Groups[1].Value))\n  \
         $name = if ($one.Subject -eq $one.Issuer) {{ 'Root' }} else {{ 'CA' }}\n  \
         $store = Get-Item \"Cert:\\LocalMachine\\$name\"; $store.Open('ReadWrite'); $store.Add($one); $store.Close()\n}}\n\
         $at = @{{ PSPath = 'MACHINE/WEBROOT/APPHOST'; Location = $site }}\n\
         Set-WebConfigurationProperty @at -Filter system.webServer/security/access -Name sslFlags -Value 'Ssl,SslNegotiateCert,SslRequireCert'\n\
         Set-WebConfigurationProperty @at -Filter system.webServer/security/authentication/anonymousAuthentication -Name enabled -Value $false\n\
         $mapping = 'system.webServer/security/authentication/iisClientCertificateMappingAuthentication'\n\
         Set-WebConfigurationProperty @at -Filter $mapping -Name enabled -Value $true\n\
         Set-WebConfigurationProperty @at -Filter $mapping -Name manyToOneCertificateMappingsEnabled -Value $false\n\
         Clear-WebConfiguration @at -Filter \"$mapping/oneToOneMappings\"\n\
         $certificates = @(\n"
    );
    for one in &admitted.certificates {
        let pem = examiner::cert::pem::encode("CERTIFICATE", &one.der);
        let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let _ = writeln!(script, "  # {}, {}\n  '{base64}'", one.party, plain(&one.label));
    }
    script += ")\nforeach ($certificate in $certificates) {\n  Add-WebConfigurationProperty @at -Filter \
               \"$mapping/oneToOneMappings\" -Name . -Value @{\n    userName = $account.UserName; password = \
               $account.GetNetworkCredential().Password; certificate = $certificate; enabled = $true\n  }\n}\n";
    Written {
        files: vec![("site.ps1".into(), script)],
        next: "On the server, in PowerShell as administrator: .\\site.ps1\n".into(),
        cannot: vec![
            "IIS trusts anchors for the whole machine: the roots in anchors.pem are then trusted for other uses too.".into(),
            "IIS may ask for the certificate only after the request came in (renegotiation); set `Negotiate Client \
             Certificate` on the binding for TLS 1.3."
                .into(),
            "Other ways of authentication that are on for the site stay on: turn them off.".into(),
        ],
    }
}

/// A label as it may stand behind a comment sign.
fn plain(label: &str) -> String {
    examiner::report::shown(label)
}

/// The text as nginx has it in `$ssl_client_escaped_cert`: all but unreserved characters percent-encoded.
fn escaped(pem: &str) -> String {
    let mut out = String::with_capacity(pem.len() * 5 / 4);
    for byte in pem.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
