//! The real `curl` and `openssl`. A missing tool panics with its name.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::gate::{Portal, SITE};
use crate::process::{self, Output};
use crate::response::{Response, parse_head};

const PATIENCE: Duration = Duration::from_secs(90);

/// What curl received.
#[derive(Clone, Debug)]
pub struct CurlResult {
    /// curl's exit code; 0 whenever an answer came, whatever its status.
    pub exit: i32,
    /// The last answer; status 0 without one.
    pub response: Response,
    /// What curl said (`-v` among the extra arguments gives the handshake).
    pub stderr: String,
}

impl std::ops::Deref for CurlResult {
    type Target = Response;

    fn deref(&self) -> &Response {
        &self.response
    }
}

impl CurlResult {
    /// The number of the alert that ended the connection, from OpenSSL's error code in what curl said.
    pub fn alert(&self) -> Option<u8> {
        alert_number(&self.stderr)
    }
}

/// curl at a portal's site, in its directory, with `--resolve` and `--cacert ca.pem`.
///
/// `cert` names NAME.pem and NAME.key of the directory; `extra` goes before the URL.
#[track_caller]
pub fn curl(portal: &Portal, cert: Option<&str>, path: &str, extra: &[&str]) -> CurlResult {
    curl_at(portal.sandbox.dir(), SITE, portal.port, cert, path, extra)
}

/// curl at `https://HOST:PORT/path`, HOST resolved to 127.0.0.1, run in `dir`, which holds ca.pem and the certificate.
#[track_caller]
pub fn curl_at(
    dir: &Path,
    host: &str,
    port: u16,
    cert: Option<&str>,
    path: &str,
    extra: &[&str],
) -> CurlResult {
    let out = tempfile::tempdir().expect("a temporary directory");
    let (head, body) = (out.path().join("head"), out.path().join("body"));
    let mut command = Command::new("curl");
    command.current_dir(dir).args(["-q", "-sS", "--noproxy", "*", "--max-time", "60", "--cacert", "ca.pem"]);
    command.args(["--resolve", &format!("{host}:{port}:127.0.0.1")]);
    command.arg("-D").arg(&head).arg("-o").arg(&body);
    if let Some(name) = cert {
        command.args(["--cert", &format!("./{name}.pem"), "--key", &format!("./{name}.key")]);
    }
    command.args(extra).arg(format!("https://{host}:{port}{path}"));
    let output = process::run(&mut command, b"", PATIENCE);
    let head = std::fs::read(&head).unwrap_or_default();
    let head = String::from_utf8_lossy(&head).replace("\r\n", "\n");
    let last = head.split("\n\n").filter_map(parse_head).last();
    let (status, headers) = last.unwrap_or_default();
    let body = std::fs::read(&body).unwrap_or_default();
    CurlResult { exit: output.code, response: Response { status, headers, body }, stderr: output.stderr }
}

/// `openssl ARGS` in `dir` with `input`.
#[track_caller]
pub fn openssl(dir: &Path, args: &[&str], input: &[u8]) -> Output {
    process::run(Command::new("openssl").args(args).current_dir(dir), input, PATIENCE)
}

/// What `openssl s_client` saw.
#[derive(Clone, Debug)]
pub struct SClient {
    /// Standard output and standard error.
    pub output: String,
    /// The exit code; -1 when it had to be ended because the connection stayed open.
    pub code: i32,
    /// The number of the alert the server sent, if any.
    pub alert: Option<u8>,
}

/// `openssl s_client` at 127.0.0.1:`port` in `dir`: sends one `GET /`, waits for the end of the connection.
///
/// `servername` `None` sends no SNI. `extra` holds the rest: `-tls1_3`, `-cert alice.pem`, `-key alice.key`,
/// `-CAfile ca.pem`, `-cipher DEFAULT@SECLEVEL=0`.
#[track_caller]
pub fn openssl_s_client(dir: &Path, port: u16, servername: Option<&str>, extra: &[&str]) -> SClient {
    let mut command = Command::new("openssl");
    command.current_dir(dir).args(["s_client", "-ign_eof", "-connect", &format!("127.0.0.1:{port}")]);
    match servername {
        Some(name) => command.args(["-servername", name]),
        None => command.arg("-noservername"),
    };
    command.args(extra);
    let host = servername.unwrap_or(SITE);
    let request = format!("GET / HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n");
    let (output, _) = process::run_until(&mut command, request.as_bytes(), PATIENCE, true);
    let text = output.both();
    SClient { alert: alert_number(&text), code: output.code, output: text }
}

/// The alert's number, in `SSL alert number 116` or in `error:0A00045C:` (OpenSSL's reason is 1000 more).
fn alert_number(text: &str) -> Option<u8> {
    if let Some((_, after)) = text.split_once("SSL alert number ") {
        let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
        return digits.parse().ok();
    }
    let codes = text.split("error:0A").skip(1).filter_map(|after| after.get(..6));
    let reasons = codes.filter_map(|code| u32::from_str_radix(code, 16).ok());
    reasons.filter_map(|reason| u8::try_from(reason.checked_sub(1000)?).ok()).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alert_is_read_from_what_openssl_prints() {
        let text = "…:error:0A00045C:SSL routines:ssl3_read_bytes:tlsv13 alert certificate required:\
                    ../ssl/record/rec_layer_s3.c:1586:SSL alert number 116\n";
        assert_eq!(alert_number(text), Some(116));
        let curl =
            "curl: (56) OpenSSL SSL_read: error:0A00045C:SSL routines::tlsv13 alert certificate required";
        assert_eq!(alert_number(curl), Some(116));
        assert_eq!(alert_number("closed"), None);
        assert_eq!(alert_number("error:0A000126:SSL routines::unexpected eof while reading"), None);
    }
}
