//! `config`: the configuration as it holds, defaults and registry included; and the shape of its file.

use policy::{ClientAuth, OnRefuse, Principal};
use serde_json::{Value, json};

use super::context::Context;
use super::{Exit, Globals, Outcome};
use crate::config::Settings;
use crate::config::acme::Acme;
use crate::config::enrol::Enrol;
use crate::config::keys::CertificateFile;
use crate::config::site::SiteSettings;

/// `countersign config …`.
#[derive(Debug, clap::Subcommand)]
pub enum Args {
    /// Everything that holds: file, registry and defaults.
    Show,
    /// The JSON Schema of the configuration file, for editors.
    Schema,
}

/// Runs it.
pub fn command(globals: &Globals, args: Args) -> Exit {
    globals.end(match args {
        Args::Show => show(globals),
        Args::Schema => schema(globals),
    })
}

fn show(globals: &Globals) -> Outcome {
    let context = Context::open(globals)?;
    let value = view(&context.settings);
    let text = as_toml(&value);
    globals.print(&value, text);
    Ok(Exit::Fine)
}

/// All settings as JSON, in the file's words; of a secret only where it stands.
pub fn view(settings: &Settings) -> Value {
    let sites: serde_json::Map<String, Value> =
        settings.sites.iter().map(|(name, site)| (name.to_string(), site_view(site))).collect();
    let cas: serde_json::Map<String, Value> =
        settings.cas.iter().map(|(name, ca)| (name.clone(), super::ca::view(ca))).collect();
    json!({
        "server": {
            "listen": settings.listen,
            "admin": settings.admin,
            "http": settings.http,
            "http_url": settings.addresses.base,
            "crl_shards": settings.addresses.shards,
            "proxy_protocol": texts(&settings.front.proxy_protocol),
            "trusted_proxies": texts(&settings.front.trusted_proxies),
            "fetch_private": texts(&settings.fetch_private),
            "state": settings.state.path(),
            "workers": settings.workers,
            "max_stale": settings.max_stale,
        },
        "enrol": settings.enrol.as_ref().map(enrol),
        "profile": crate::config::profiles::view(&settings.profiles),
        "notify": settings.notify.view(),
        "limits": crate::config::limits::view(&settings.limits),
        "site": sites,
        "ca": cas,
        "group": settings.groups,
        "log": { "retain_days": settings.retain_days, "file": settings.log_file },
    })
}

fn enrol(enrol: &Enrol) -> Value {
    let servers = enrol.servers.as_ref();
    json!({
        "listen": enrol.listen,
        "url": enrol.url,
        "server_networks": servers.map(|servers| texts(&servers.networks)),
        "server_resolver": servers.and_then(|servers| servers.resolver),
        "server_http_port": servers.map(|servers| servers.http_port),
        "server_tls_port": servers.map(|servers| servers.tls_port),
    })
}

fn schema(globals: &Globals) -> Outcome {
    let schema = crate::config::schema::schema();
    globals.print(&schema, format!("{schema:#}"));
    Ok(Exit::Fine)
}

/// A site's settings as JSON, in the file's words.
pub fn site_view(site: &SiteSettings) -> Value {
    let list = |all: &[Principal]| all.iter().map(ToString::to_string).collect::<Vec<_>>();
    let paths: Vec<Value> = site
        .paths
        .iter()
        .map(|rule| {
            json!({
                "prefix": rule.prefix.as_str(),
                "allow": rule.allow.as_deref().map(list),
                "deny": rule.deny.as_deref().map(list),
                "client_auth": match rule.client_auth {
                    ClientAuth::Required => "required",
                    ClientAuth::Optional => "optional",
                    ClientAuth::Off => "off",
                },
            })
        })
        .collect();
    json!({
        "upstream": site.upstream.view(),
        "upstream_tls": site.upstream.tls_view(),
        "health_check": site.upstream.check_view(),
        "certificate": match &site.certificate {
            CertificateFile::OwnCa => json!("own-ca"),
            CertificateFile::Files { cert, key } => json!({ "cert": cert, "key": key }),
            CertificateFile::Acme(_) => json!(site.acme.as_ref().map(Acme::view)),
        },
        "allow": list(&site.allow),
        "deny": list(&site.deny),
        "on_refuse": if site.on_refuse == OnRefuse::Page { "page" } else { "handshake" },
        "refuse_status": site.refuse_status,
        "identity": site.identity,
        "tls_min": site.tls_min,
        "default": site.is_default,
        "mode": site.observe_until.map(|until| json!({ "observe_until": until })),
        "issuer_hints": site.issuer_hints,
        "clock_tolerance": site.clock_tolerance,
        "hsts": site.hsts.map(|hsts| json!({
            "max_age": hsts.max_age.0,
            "include_subdomains": hsts.include_subdomains,
            "preload": hsts.preload,
        })),
        "cors_origins": site.manners.cors_origins,
        "max_body": site.manners.max_body,
        "rate_limit": rate_view(&site.manners),
        "path": paths,
        "origin": site.origin,
    })
}

/// The rate limits, where there are any.
fn rate_view(manners: &gateway::Manners) -> Option<Value> {
    let (party, address) = (manners.party_per_minute, manners.address_per_minute);
    let any = party.is_some() || address.is_some();
    any.then(|| json!({ "party_per_minute": party, "address_per_minute": address }))
}

fn texts(networks: &gateway::networks::Networks) -> Vec<String> {
    networks.iter().map(ToString::to_string).collect()
}

/// A value as TOML text.
pub fn as_toml(value: &Value) -> String {
    let table = toml::Value::try_from(without_nulls(value.clone()));
    table.ok().and_then(|table| toml::to_string_pretty(&table).ok()).unwrap_or_default()
}

/// TOML has no null: what is not set is left out.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(all) => Value::Object(
            all.into_iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k, without_nulls(v))).collect(),
        ),
        Value::Array(all) => Value::Array(all.into_iter().map(without_nulls).collect()),
        other => other,
    }
}
