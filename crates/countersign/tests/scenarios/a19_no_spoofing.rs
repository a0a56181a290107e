use testkit::Portal;

use crate::support::binary;

#[test]
fn no_identity_header_of_a_client_reaches_the_upstream() {
    let portal = Portal::start(&binary());
    let lies = [
        "Client-Cert: :AAAA:",
        "client_cert: x",
        "Client.Cert: x",
        "Client-Cert-Chain: :AAAA:",
        "Countersign-Party: root",
        "countersign_party: root",
        "COUNTERSIGN-REFERENCE: x",
        "Countersign-Would-Refuse: x",
        "X-Forwarded-Client-Cert: x",
        "X-SSL-Client-Verify: SUCCESS",
        "x_ssl_client_s_dn: CN=root",
        "SSL_CLIENT_VERIFY: SUCCESS",
        "X-Client-Cert: x",
        "X-Amzn-Mtls-Clientcert: x",
        "X-Amzn-Mtls-Clientcert-Subject: x",
        "X-ARR-ClientCert: x",
        "l5d-client-id: x",
        "X-Forwarded-Tls-Client-Cert: x",
        "X-Forwarded-Tls-Client-Cert-Info: x",
        "X-SSL: 1",
        "X-SSL-Issuer: x",
        "X-Forwarded-For: 6.6.6.6",
        "X-Forwarded-Proto: http",
        "X-Forwarded-Host: evil.test",
        "Forwarded: for=6.6.6.6",
    ];
    let mut args = Vec::new();
    for lie in lies {
        args.extend(["-H", lie]);
    }
    args.extend(["-H", "X-Request-Id: kept"]);
    for protocol in ["--http1.1", "--http2"] {
        let mut args = args.clone();
        args.push(protocol);
        let answer = portal.curl(Some("alice"), "/", &args);
        assert_eq!(answer.status, 200, "{}", answer.stderr);
        let seen = portal.echo.last();
        assert_eq!(seen.all("countersign-party"), ["alice"]);
        assert_eq!(seen.all("client-cert").len(), 1);
        assert_eq!(seen.all("x-forwarded-for"), ["127.0.0.1"]);
        assert_eq!(seen.all("x-forwarded-proto"), ["https"]);
        assert_eq!(seen.header("x-request-id"), Some("kept"));
        for (name, value) in &seen.headers {
            let folded = name.to_ascii_lowercase().replace(['_', '.'], "-");
            let ours =
                ["client-cert", "countersign-party", "countersign-reference"].contains(&folded.as_str());
            assert!(
                ours || !folded.contains("client-cert") && !folded.starts_with("x-ssl"),
                "{name}: {value}"
            );
            assert!(
                !value.contains("6.6.6.6") && !value.contains("evil") && !value.contains("root"),
                "{name}: {value}"
            );
            assert!(!name.contains('_') || ours, "{name} passed");
        }
    }
}
