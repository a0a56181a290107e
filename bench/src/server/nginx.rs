//! nginx.

use std::path::Path;
use std::process::Command;

use super::{Place, program};
use crate::failure::Failure;
use crate::pki::SITE;

pub(super) fn version(program: &Path) -> Result<String, Failure> {
    let said = program::say(program, &["-V"])?;
    let version = program::after(&said, "nginx version: nginx/")?;
    let built = program::after(&said, "built with ")?;
    let library = match built.split_once("(running with ") {
        Some((_, running)) => running.trim_end_matches(')'),
        None => built,
    };
    Ok(format!("nginx {version}, {library}"))
}

pub(super) fn prepare(place: &Place) -> Result<Command, Failure> {
    let Place { dir, port, upstream, files, .. } = place;
    let dir = dir.display();
    let (ca, cert, key) = (files.ca.display(), files.cert.display(), files.key.display());
    // The worker would become a user who may not enter the directory.
    let user = if rustix::process::geteuid().is_root() { "user root;" } else { "" };
    let config = format!(
        "{user}
daemon off;
worker_processes 1;
pid {dir}/nginx.pid;
error_log stderr error;
events {{ worker_connections 8192; }}
http {{
    access_log {dir}/access.log;
    keepalive_requests 1000000000;
    client_body_temp_path {dir}/body;
    proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi;
    scgi_temp_path {dir}/scgi;
    upstream website {{
        server 127.0.0.1:{upstream};
        keepalive 64;
        keepalive_requests 1000000000;
    }}
    server {{
        listen 127.0.0.1:{port} ssl http2;
        server_name {SITE};
        ssl_certificate {cert};
        ssl_certificate_key {key};
        ssl_protocols TLSv1.3;
        ssl_client_certificate {ca};
        ssl_verify_client on;
        ssl_session_cache off;
        ssl_session_tickets off;
        ssl_conf_command NumTickets 0;
        location / {{
            proxy_pass http://website;
            proxy_http_version 1.1;
            proxy_set_header Connection \"\";
            proxy_set_header Host $host;
            proxy_set_header Client-Cert $ssl_client_escaped_cert;
            proxy_max_temp_file_size 0;
        }}
    }}
}}
"
    );
    let file = place.write("nginx.conf", &config)?;
    let mut command = Command::new(&place.program);
    command.arg("-p").arg(&place.dir).arg("-e").arg("stderr").arg("-c").arg(file);
    Ok(command)
}
