//! The real `openssl ocsp` behind the HTTP server: it reads each request and signs the response.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use testkit::{TestCa, TestCert};

use super::http::{Asked, ok, status};

/// What a responder has at hand, in a folder of its own.
pub struct Responder {
    dir: PathBuf,
}

static NEXT: AtomicUsize = AtomicUsize::new(0);

impl Responder {
    /// The responder of `ca`, whose index has one certificate.
    pub fn new(dir: &Path, ca: &TestCa, cert: &TestCert, revoked: bool) -> Self {
        let dir = dir.join(format!("responder{}", NEXT.fetch_add(1, Ordering::SeqCst)));
        std::fs::create_dir(&dir).unwrap();
        std::fs::write(dir.join("signer.pem"), ca.pem()).unwrap();
        std::fs::write(dir.join("signer.key"), ca.key().pem()).unwrap();
        std::fs::write(dir.join("ca.pem"), ca.pem()).unwrap();
        let serial = cert.facts().serial_hex().to_uppercase();
        let line = match revoked {
            true => format!("R\t360101000000Z\t260101000000Z\t{serial}\tunknown\t/CN=www\n"),
            false => format!("V\t360101000000Z\t\t{serial}\tunknown\t/CN=www\n"),
        };
        std::fs::write(dir.join("index.txt"), line).unwrap();
        Self { dir }
    }

    /// Answers requests for its CA.
    pub fn serve(self) -> impl Fn(&Asked) -> Vec<u8> + Send + Sync + 'static {
        move |asked| match self.respond(asked) {
            Some(response) => ok(&response),
            None => status(500),
        }
    }

    /// Answers requests for another CA, with its own key.
    pub fn signing_for(self, ca: &TestCa) -> impl Fn(&Asked) -> Vec<u8> + Send + Sync + 'static {
        std::fs::write(self.dir.join("ca.pem"), ca.pem()).unwrap();
        self.serve()
    }

    fn respond(&self, asked: &Asked) -> Option<Vec<u8>> {
        let request = match asked.method.as_str() {
            "POST" => asked.body.clone(),
            _ => decoded(asked.path.rsplit('/').next()?),
        };
        let here = self.dir.join(format!("asked{}", NEXT.fetch_add(1, Ordering::SeqCst)));
        std::fs::write(&here, request).unwrap();
        let output = Command::new("openssl")
            .current_dir(&self.dir)
            .args([
                "ocsp",
                "-index",
                "index.txt",
                "-CA",
                "ca.pem",
                "-rsigner",
                "signer.pem",
                "-rkey",
                "signer.key",
            ])
            .args(["-ndays", "1", "-reqin"])
            .arg(&here)
            .arg("-respout")
            .arg(here.with_extension("der"))
            .output()
            .unwrap();
        output.status.success().then(|| std::fs::read(here.with_extension("der")).unwrap())
    }
}

/// Base 64 out of a URL's segment.
fn decoded(segment: &str) -> Vec<u8> {
    let text = segment.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
    data_encoding::BASE64.decode(text.as_bytes()).unwrap()
}
