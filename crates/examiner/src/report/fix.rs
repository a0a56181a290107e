//! What to type and to write so that a server serves a chain: the lines for seven kinds of server.
//!
//! Everything that a certificate says is checked before it stands in a line: a host name that is none becomes `site`.

use serde::Serialize;

/// A kind of server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Server {
    /// nginx.
    Nginx,
    /// Apache httpd 2.4.8 or later.
    Apache,
    /// HAProxy.
    Haproxy,
    /// Caddy 2.
    Caddy,
    /// Internet Information Services on Windows.
    Iis,
    /// A Java server: Tomcat, or one whose settings are properties.
    Java,
    /// Node.js.
    Node,
}

impl Server {
    /// All of them, by the words of the command line.
    pub const ALL: [(&'static str, Self); 7] = [
        ("nginx", Self::Nginx),
        ("apache", Self::Apache),
        ("haproxy", Self::Haproxy),
        ("caddy", Self::Caddy),
        ("iis", Self::Iis),
        ("java", Self::Java),
        ("node", Self::Node),
    ];

    /// The server that this word names.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(name, _)| *name == word).map(|(_, server)| *server)
    }
}

/// What the lines speak of.
#[derive(Clone, Copy, Debug)]
pub struct Material<'a> {
    /// The host that is served, as it was given or as the certificate has it.
    pub host: &'a str,
    /// The file with the chain in its right order.
    pub chain: &'a str,
    /// The file with the private key.
    pub key: &'a str,
    /// The text of the chain's file, where it is not written yet.
    pub pem: Option<&'a str>,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Where the lines go, in words.
    pub title: String,
    /// What reads them.
    pub reads: Reads,
    /// The lines, each ending with `\n`.
    pub lines: String,
}

/// What reads the lines of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reads {
    /// A shell.
    Shell,
    /// PowerShell.
    PowerShell,
    /// The server, in its settings.
    Settings,
}

/// What to do so that the server serves the chain, in order.
pub fn steps(server: Server, material: &Material<'_>) -> Vec<Step> {
    let host = host(material.host);
    let (chain, key) = (material.chain, material.key);
    let write = material.pem.map(|pem| {
        let title = "Write the chain, in a shell";
        shell(title, format!("cat > {} <<'END'\n{pem}END\n", word(chain)))
    });
    let (c, k) = (quoted(chain), quoted(key));
    let own = match server {
        Server::Nginx => vec![
            settings(
                format!("nginx: in the server block of {host}"),
                format!("ssl_certificate     {c};\nssl_certificate_key {k};\n"),
            ),
            shell("Then", "nginx -t && nginx -s reload\n"),
        ],
        Server::Apache => vec![
            settings(
                format!("Apache: in the VirtualHost of {host}; a line SSLCertificateChainFile there goes"),
                format!("SSLEngine on\nSSLCertificateFile {c}\nSSLCertificateKeyFile {k}\n"),
            ),
            shell("Then", "apachectl configtest && apachectl graceful\n"),
        ],
        Server::Haproxy => {
            let both = beside(chain, ".both.pem");
            let merge = format!("(umask 077; cat {} {} > {})\n", word(chain), word(key), word(&both));
            vec![
                shell("HAProxy wants chain and key in one file", merge),
                settings(
                    format!("HAProxy: in the frontend of {host}"),
                    format!("bind :443 ssl crt {}\n", quoted(&both)),
                ),
                shell("Then", "haproxy -c -f /etc/haproxy/haproxy.cfg && systemctl reload haproxy\n"),
            ]
        }
        Server::Caddy => vec![
            settings(format!("Caddy: in the block of {host}"), format!("tls {c} {k}\n")),
            shell("Then", "caddy reload --config /etc/caddy/Caddyfile\n"),
        ],
        Server::Iis => iis(&host, material),
        Server::Java => java(material),
        Server::Node => vec![settings(
            "Node.js: where the server is made; the chain belongs into cert, not into ca".into(),
            format!(
                "const {{ readFileSync }} = require(\"node:fs\");\nconst server = require(\"node:https\").createServer({{\n  \
                 cert: readFileSync({chain:?}),\n  key: readFileSync({key:?}),\n}}, app);\n"
            ),
        )],
    };
    write.into_iter().chain(own).collect()
}

/// The steps as text: each title as a comment, then its lines.
pub fn text(steps: &[Step]) -> String {
    let each = steps.iter().map(|step| format!("# {}\n{}", step.title, step.lines));
    each.collect::<Vec<_>>().join("\n")
}

fn iis(host: &str, material: &Material<'_>) -> Vec<Step> {
    let pfx = beside(material.chain, ".pfx");
    let name = pfx.rsplit('/').next().unwrap_or(&pfx);
    vec![
        export("Make a PFX file of chain and key, in a shell; carry it to the server", &pfx, material),
        Step {
            title: format!("IIS: in PowerShell as administrator, where {name} lies"),
            reads: Reads::PowerShell,
            lines: format!(
                "Import-Module WebAdministration\n\
                 $pfx = Get-PfxData -FilePath {file} -Password ($password = Read-Host -AsSecureString 'Password of the PFX file')\n\
                 $pfx.OtherCertificates | ForEach-Object {{\n  $store = Get-Item Cert:\\LocalMachine\\CA\n  \
                 $store.Open('ReadWrite'); $store.Add($_); $store.Close()\n}}\n\
                 $certificate = Import-PfxCertificate -FilePath {file} -CertStoreLocation Cert:\\LocalMachine\\My -Password $password\n\
                 (Get-WebBinding -Protocol https -HostHeader '{host}').AddSslCertificate($certificate.Thumbprint, 'My')\n",
                file = powershell(name)
            ),
        },
    ]
}

fn java(material: &Material<'_>) -> Vec<Step> {
    let p12 = beside(material.chain, ".p12");
    vec![
        export("Make a PKCS#12 file of chain and key, in a shell", &p12, material),
        settings(
            "Tomcat: server.xml, within the SSLHostConfig of the Connector".into(),
            format!(
                "<Certificate certificateKeystoreFile=\"{}\" certificateKeystoreType=\"PKCS12\" \
                 certificateKeystorePassword=\"${{keystore.password}}\"/>\n",
                super::markup::escaped(&p12)
            ),
        ),
        settings(
            "Or Spring Boot: application.properties".into(),
            format!(
                "server.ssl.key-store={}\nserver.ssl.key-store-type=PKCS12\n\
                 server.ssl.key-store-password=${{KEYSTORE_PASSWORD}}\n",
                p12.replace('\\', "\\\\")
            ),
        ),
    ]
}

fn export(title: &str, out: &str, material: &Material<'_>) -> Step {
    shell(
        title,
        format!(
            "(umask 077; openssl pkcs12 -export -in {} -inkey {} -name server -out {})\n",
            word(material.chain),
            word(material.key),
            word(out)
        ),
    )
}

fn shell(title: &str, lines: impl Into<String>) -> Step {
    Step { title: title.into(), reads: Reads::Shell, lines: lines.into() }
}

fn settings(title: String, lines: String) -> Step {
    Step { title, reads: Reads::Settings, lines }
}

/// The name as it may stand in a line: letters, digits, hyphens and dots, a first `*.` left out; else `site`.
pub fn host(name: &str) -> String {
    let name = name.strip_prefix("*.").unwrap_or(name).to_ascii_lowercase();
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let is_name =
        !name.is_empty() && name.len() < 254 && name.chars().all(plain) && !name.starts_with(['.', '-']);
    if is_name { name } else { "site".into() }
}

/// The file beside another, with another ending.
fn beside(file: &str, ending: &str) -> String {
    format!("{}{ending}", file.strip_suffix(".pem").unwrap_or(file))
}

/// A word of a POSIX shell.
fn word(text: &str) -> String {
    if is_plain(text) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// A word of nginx, Apache, HAProxy and Caddy.
fn quoted(text: &str) -> String {
    if is_plain(text) {
        text.to_owned()
    } else {
        format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""))
    }
}

fn powershell(text: &str) -> String {
    format!("'.\\{}'", text.replace('\'', "''"))
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_out_of_a_certificate_is_a_name_or_nothing() {
        assert_eq!(host("*.Example.com"), "example.com");
        assert_eq!(host("a.example; rm -rf /"), "site");
        assert_eq!(host("'\n"), "site");
        assert_eq!(host("-x"), "site");
        assert_eq!(host(""), "site");
    }

    #[test]
    fn a_path_is_one_word_in_a_shell_and_in_settings() {
        let material =
            Material { host: "a.example", chain: "/a b/it's.pem", key: "/k\"ey", pem: Some("PEM\n") };
        let lines = text(&steps(Server::Haproxy, &material));
        assert!(lines.contains("cat > '/a b/it'\\''s.pem' <<'END'\nPEM\nEND\n"), "{lines}");
        assert!(lines.contains("bind :443 ssl crt \"/a b/it's.both.pem\"\n"), "{lines}");
        let nginx = text(&steps(Server::Nginx, &material));
        assert!(nginx.contains("ssl_certificate_key \"/k\\\"ey\";"), "{nginx}");
    }
}
