//! HAProxy. Its access log goes to standard output, which is a file here: it writes to none by itself.

use std::path::Path;
use std::process::Command;

use super::{Place, program};
use crate::failure::Failure;

/// `no-tls-tickets` alone leaves OpenSSL sending tickets of TLS 1.3 that only name a session.
const NO_TICKETS: &str = "openssl_conf = all
[all]
ssl_conf = ssl
[ssl]
system_default = system
[system]
NumTickets = 0
";

pub(super) fn version(program: &Path) -> Result<String, Failure> {
    let said = program::say(program, &["-vv"])?;
    let version = program::after(&said, "HAProxy version ")?;
    let version = version.split(' ').next().unwrap_or(version);
    let library = program::after(&said, "Running on OpenSSL version : ")?;
    let library: Vec<&str> = library.split(' ').take(2).collect();
    Ok(format!("HAProxy {version}, {}", library.join(" ")))
}

pub(super) fn prepare(place: &Place) -> Result<Command, Failure> {
    let Place { port, upstream, files, .. } = place;
    let (ca, both) = (files.ca.display(), files.both.display());
    let config = format!(
        "global
    nbthread 1
    maxconn 8000
    log stdout format raw daemon
    tune.ssl.cachesize 0
defaults
    mode http
    log global
    option httplog
    option http-ignore-probes
    timeout connect 5s
    timeout client 75s
    timeout server 60s
    timeout http-keep-alive 75s
    http-reuse always
frontend site
    bind 127.0.0.1:{port} ssl crt {both} ca-file {ca} verify required alpn h2,http/1.1 ssl-min-ver TLSv1.3 no-tls-tickets
    http-request set-header Client-Cert :%[ssl_c_der,base64]:
    default_backend website
backend website
    server website 127.0.0.1:{upstream}
"
    );
    let file = place.write("haproxy.cfg", &config)?;
    let openssl = place.write("openssl.cnf", NO_TICKETS)?;
    let mut command = Command::new(&place.program);
    command.arg("-db").arg("-f").arg(file).env("OPENSSL_CONF", openssl);
    Ok(command)
}
