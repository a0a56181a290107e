//! Caddy.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use super::{Place, program};
use crate::failure::Failure;

pub(super) fn version(program: &Path) -> Result<String, Failure> {
    let said = program::say(program, &["version"])?;
    let version = said.split_whitespace().next().unwrap_or_default().to_owned();
    let info = program::say(program, &["build-info"])?;
    let go = program::after(&info, "go\t").unwrap_or("Go");
    Ok(format!("Caddy {version}, {go}"))
}

pub(super) fn prepare(place: &Place) -> Result<Command, Failure> {
    let Place { port, upstream, files, dir, .. } = place;
    let config = json!({
        "admin": { "disabled": true, "config": { "persist": false } },
        "logging": { "logs": {
            "default": { "level": "ERROR", "exclude": ["http.log.access"] },
            "access": {
                "writer": { "output": "file", "filename": dir.join("access.log") },
                "encoder": { "format": "json" },
                "include": ["http.log.access"],
            },
        } },
        "apps": {
            "tls": {
                "certificates": { "load_files": [{ "certificate": files.cert, "key": files.key }] },
                "session_tickets": { "disabled": true },
            },
            "http": { "servers": { "bench": {
                "listen": [format!("127.0.0.1:{port}")],
                "protocols": ["h1", "h2"],
                "automatic_https": { "disable": true },
                "logs": {},
                "tls_connection_policies": [{
                    "protocol_min": "tls1.3",
                    "client_authentication": {
                        "mode": "require_and_verify",
                        "ca": { "provider": "file", "pem_files": [files.ca] },
                    },
                }],
                "routes": [{ "handle": [{
                    "handler": "reverse_proxy",
                    "upstreams": [{ "dial": format!("127.0.0.1:{upstream}") }],
                    "transport": { "protocol": "http", "keep_alive": { "max_idle_conns_per_host": 64 } },
                    "headers": { "request": { "set": {
                        "Client-Cert": [":{http.request.tls.client.certificate_der_base64}:"],
                    } } },
                }] }],
            } } },
        },
    });
    let file = place.write("caddy.json", &config.to_string())?;
    let mut command = Command::new(&place.program);
    command.arg("run").arg("--config").arg(file);
    command.env("GOMAXPROCS", "1").env("HOME", dir).env("XDG_DATA_HOME", dir).env("XDG_CONFIG_HOME", dir);
    Ok(command)
}
