//! Envoy.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::{Place, program};
use crate::failure::Failure;

const TYPES: &str = "type.googleapis.com/envoy.extensions";

pub(super) fn version(program: &Path) -> Result<String, Failure> {
    let said = program::say(program, &["--version"])?;
    // envoy  version: HASH/1.40.0/Clean/RELEASE/BoringSSL
    let mut parts = program::after(&said, "version:")?.split('/');
    let version = parts.nth(1).unwrap_or_default().to_owned();
    Ok(format!("Envoy {version}, {}", parts.next_back().unwrap_or_default()))
}

pub(super) fn prepare(place: &Place) -> Result<Command, Failure> {
    let Place { port, upstream, dir, .. } = place;
    let manager = json!({
        "@type": format!("{TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager"),
        "stat_prefix": "bench",
        "forward_client_cert_details": "SANITIZE_SET",
        "set_current_client_cert_details": { "cert": true },
        "access_log": [{
            "name": "envoy.access_loggers.file",
            "typed_config": {
                "@type": format!("{TYPES}.access_loggers.file.v3.FileAccessLog"),
                "path": dir.join("access.log"),
            },
        }],
        "route_config": { "virtual_hosts": [{
            "name": "site",
            "domains": ["*"],
            "routes": [{ "match": { "prefix": "/" }, "route": { "cluster": "website", "timeout": "0s" } }],
        }] },
        "http_filters": [{
            "name": "envoy.filters.http.router",
            "typed_config": { "@type": format!("{TYPES}.filters.http.router.v3.Router") },
        }],
    });
    let config = json!({ "static_resources": {
        "listeners": [{
            "name": "site",
            "address": address(*port),
            "filter_chains": [{
                "transport_socket": { "name": "envoy.transport_sockets.tls", "typed_config": tls(place) },
                "filters": [{
                    "name": "envoy.filters.network.http_connection_manager",
                    "typed_config": manager,
                }],
            }],
        }],
        "clusters": [{
            "name": "website",
            "type": "STATIC",
            "connect_timeout": "5s",
            "load_assignment": {
                "cluster_name": "website",
                "endpoints": [{ "lb_endpoints": [{ "endpoint": { "address": address(*upstream) } }] }],
            },
        }],
    } });
    let file = place.write("envoy.json", &config.to_string())?;
    let mut command = Command::new(&place.program);
    command.arg("-c").arg(file).args(["--concurrency", "1", "--disable-hot-restart", "-l", "error"]);
    Ok(command)
}

fn tls(place: &Place) -> Value {
    let files = &place.files;
    json!({
        "@type": format!("{TYPES}.transport_sockets.tls.v3.DownstreamTlsContext"),
        "require_client_certificate": true,
        "disable_stateless_session_resumption": true,
        "disable_stateful_session_resumption": true,
        "common_tls_context": {
            "alpn_protocols": ["h2", "http/1.1"],
            "tls_params": {
                "tls_minimum_protocol_version": "TLSv1_3",
                "tls_maximum_protocol_version": "TLSv1_3",
            },
            "tls_certificates": [{
                "certificate_chain": { "filename": files.cert },
                "private_key": { "filename": files.key },
            }],
            "validation_context": { "trusted_ca": { "filename": files.ca } },
        },
    })
}

fn address(port: u16) -> Value {
    json!({ "socket_address": { "address": "127.0.0.1", "port_value": port } })
}
