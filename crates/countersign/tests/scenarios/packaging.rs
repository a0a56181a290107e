//! What stands in `packaging/`, held against the running gate by the programs that it is for.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;
use testkit::ca::Crl;
use testkit::{Leaf, Output, Portal, TestCa, process};

use crate::support::{binary, eventually};

fn packaging(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging").join(name)
}

fn runs(program: &str, args: &[&str], folder: &Path, input: &[u8]) -> Output {
    let mut command = Command::new(program);
    process::run(command.args(args).current_dir(folder), input, Duration::from_secs(60))
}

/// What a monitoring server reads.
fn metrics(portal: &Portal) -> String {
    let url = format!("https://localhost:{}/metrics", portal.admin_port);
    runs("curl", &["-sS", "--fail", "--cacert", "ca.pem", &url], portal.sandbox.dir(), b"").ok().stdout
}

/// The queries of the dashboard, its variables put in.
fn queries() -> Vec<String> {
    let text = std::fs::read_to_string(packaging("grafana/countersign.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    let queries = targets.map(|target| {
        let query = target["expr"].as_str().unwrap();
        query.replace("$__rate_interval", "5m").replace("$site", ".*").replace("$instance", ".*")
    });
    let mut queries: Vec<String> = queries.collect();
    // What the variables are filled from.
    for variable in dashboard["templating"]["list"].as_array().unwrap() {
        if let Some(definition) = variable["definition"].as_str() {
            let inner = definition.strip_prefix("label_values(").unwrap().strip_suffix(')').unwrap();
            let (metric, label) = inner.split_once(", ").unwrap();
            queries.push(format!("group by ({label}) ({metric})"));
        }
    }
    queries
}

/// The words of a query that begin with `countersign_`.
fn names(text: &str) -> BTreeSet<String> {
    let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let words = text.split(|character: char| !is_word(character));
    words.filter(|word| word.starts_with("countersign_")).map(str::to_owned).collect()
}

/// The labels that a query selects or groups by.
fn labels(query: &str) -> BTreeSet<String> {
    let mut labels = BTreeSet::new();
    for part in query.split('{').skip(1).filter_map(|rest| rest.split_once('}')) {
        labels.extend(
            part.0.split(',').filter_map(|one| Some(one.split_once(['=', '!'])?.0.trim().to_owned())),
        );
    }
    for part in query.split(" by (").skip(1).filter_map(|rest| rest.split_once(')')) {
        labels.extend(part.0.split(',').map(|one| one.trim().to_owned()));
    }
    labels
}

/// The labels of each series of this text, by name; a name without series has none.
fn exposed(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in text.lines() {
        if let Some(told) = line.strip_prefix("# TYPE ") {
            let (name, kind) = told.split_once(' ').unwrap();
            let suffixes: &[&str] = match kind {
                "counter" if name.ends_with("_total") => &[""],
                "counter" => &["_total"],
                "histogram" => &["_bucket", "_sum", "_count"],
                _ => &[""],
            };
            all.extend(suffixes.iter().map(|suffix| (format!("{name}{suffix}"), BTreeSet::new())));
        } else if let Some((series, _)) = line.rsplit_once(' ').filter(|_| !line.starts_with('#')) {
            let name = series.split('{').next().unwrap();
            all.entry(name.to_owned()).or_default().extend(labels(series));
        }
    }
    all
}

/// A portal on which everything has happened that is counted.
fn eventful() -> Portal {
    let tomorrow = "2099-01-01";
    let acme = TestCa::new("Acme");
    let portal = Portal::build(&binary())
        .file("acme.pem", acme.pem())
        .file("acme.crl", Crl::new().number(1).der(&acme))
        .extra_toml(&format!(
            "[ca.acme]\nfile = \"acme.pem\"\nsites = [\"portal.test\"]\naccept_any = true\n\
             accept_without_client_usage = {{ until = {tomorrow} }}\ncrl = {{ file = \"acme.crl\" }}\n"
        ))
        .site_line("allow = [\"ca:acme\"]")
        .party("alice")
        .start();
    Leaf::new("partner").without_usage().issued_by(&acme).write(portal.sandbox.dir(), "partner");
    assert_eq!(portal.curl(Some("alice"), "/", &[]).status, 200);
    assert_eq!(portal.curl(Some("partner"), "/", &[]).status, 200);
    assert_eq!(portal.curl(None, "/", &[]).status, 403);
    portal.countersign(&["party", "revoke", "alice"]).ok();
    portal
}

#[test]
fn every_metric_and_label_of_dashboard_and_alerts_is_one_that_the_gate_has() {
    let portal = eventful();
    let text = metrics(&portal);
    let exposed = exposed(&text);
    let alerts = std::fs::read_to_string(packaging("prometheus/alerts.yml")).unwrap();
    let rules = alerts.split("- alert: ").skip(1);
    let rules: Vec<String> = rules.map(|rule| rule.split("labels: ").next().unwrap().to_owned()).collect();
    assert_eq!(rules.len(), 9);
    let queries = queries();
    assert!(queries.len() > 20);
    // What the monitoring server adds by itself.
    let added = ["instance", "job"];
    for query in queries.iter().chain(&rules) {
        let names = names(query);
        assert!(!names.is_empty() || query.contains("up{"), "{query}");
        for name in names {
            let has = exposed
                .get(&name)
                .unwrap_or_else(|| panic!("{name} of `{query}` is none of the gate's:\n{text}"));
            for label in labels(query).iter().filter(|label| !added.contains(&label.as_str())) {
                assert!(has.contains(label), "{name} has no label {label}, which `{query}` wants: {has:?}");
            }
        }
    }
    // Whoever reads metrics takes them, types and help of counters too.
    runs("promtool", &["check", "metrics"], portal.sandbox.dir(), text.as_bytes()).ok();
}

#[test]
fn prometheus_takes_every_rule_and_query_and_each_alert_fires_on_one_side_of_its_bound() {
    let folder = packaging("prometheus");
    runs("promtool", &["check", "rules", "alerts.yml"], &folder, b"").ok();
    runs("promtool", &["test", "rules", "alerts_test.yml"], &folder, b"").ok();
    let tests = std::fs::read_to_string(folder.join("alerts_test.yml")).unwrap();
    let alerts = std::fs::read_to_string(folder.join("alerts.yml")).unwrap();
    for name in alerts.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")) {
        assert_eq!(tests.matches(name).count(), 2, "{name} is tested on both sides");
    }
    let own = tempfile::tempdir().unwrap();
    let record = |(number, query): (usize, String)| {
        let query = serde_json::to_string(&query).unwrap();
        format!("      - record: dashboard:query:{number}\n        expr: {query}\n")
    };
    let rules: String = queries().into_iter().enumerate().map(record).collect();
    let text = format!("groups:\n  - name: dashboard\n    rules:\n{rules}");
    std::fs::write(own.path().join("dashboard.yml"), text).unwrap();
    runs("promtool", &["check", "rules", "dashboard.yml"], own.path(), b"").ok();
}

/// Stops whoever looks at it, also where a test fails.
struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn logrotate_takes_the_log_away_under_load_and_no_line_is_lost() {
    let portal = Portal::build(&binary()).extra_toml("[log]\nfile = \"log/access.log\"\n").party("alice");
    let mut portal = portal.prepare();
    let folder = portal.sandbox.path("log");
    std::fs::create_dir(&folder).unwrap();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).unwrap();
    portal.start_gate();
    let rules = std::fs::read_to_string(packaging("logrotate/countersign")).unwrap();
    let asked = "/usr/bin/systemctl kill --kill-who=main --signal=SIGHUP countersign.service";
    assert_eq!((rules.matches("/var/log/countersign").count(), rules.matches(asked).count()), (2, 1));
    let rules = rules.replace("/var/log/countersign", folder.to_str().unwrap());
    let rules = rules.replace(asked, &format!("kill -HUP {}", portal.gate().pid()));
    let place = portal.sandbox.write("logrotate.conf", rules);
    std::fs::set_permissions(place, std::fs::Permissions::from_mode(0o600)).unwrap();

    let (stop, answered) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut conn = portal.client_as("alice").connect(portal.port, "portal.test").await.unwrap();
                while !stop.load(Ordering::SeqCst) {
                    let path = format!("/{}", answered.load(Ordering::SeqCst));
                    assert_eq!(conn.get(&path, &[]).await.unwrap().status, 200);
                    answered.fetch_add(1, Ordering::SeqCst);
                }
            });
        });
        let _stop = StopAtEnd(&stop);
        let go_on = || {
            let before = answered.load(Ordering::SeqCst);
            eventually("more requests", || (answered.load(Ordering::SeqCst) > before + 50).then_some(()));
        };
        for round in 1..=3 {
            go_on();
            let path = std::env::var("PATH").unwrap() + ":/usr/sbin";
            let args =
                [&format!("PATH={path}"), "logrotate", "--force", "--state", "state.of", "logrotate.conf"];
            runs("env", &args, portal.sandbox.dir(), b"").ok();
            eventually("the file anew", || folder.join("access.log").exists().then_some(()));
            assert_eq!(std::fs::read_dir(&folder).unwrap().count(), round + 1);
        }
        go_on();
        stop.store(true, Ordering::SeqCst);
        asking.join().unwrap();
    });
    portal.stop_gate();
    let mut lines = Vec::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let text = runs("zcat", &["-f", path.to_str().unwrap()], &folder, b"").ok().stdout;
        lines.extend(text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a whole line")));
    }
    assert_eq!(lines.len() as u64, answered.load(Ordering::SeqCst));
    let paths: BTreeSet<&str> = lines.iter().map(|line| line["path"].as_str().unwrap()).collect();
    assert_eq!(paths.len(), lines.len(), "no line twice");
}

#[test]
fn the_container_is_built_and_runs_as_nobody_in_particular() {
    let folder = tempfile::tempdir().unwrap();
    let context = folder.path().join("dist");
    std::fs::create_dir(&context).unwrap();
    std::fs::copy(env!("CARGO_BIN_EXE_countersign"), context.join("countersign")).unwrap();
    let (root, run) = (folder.path().join("root"), folder.path().join("run"));
    let buildah = |args: &[&str]| {
        let mut command = Command::new("buildah");
        command.args(["--storage-driver", "vfs"]).arg("--root").arg(&root).arg("--runroot").arg(&run);
        process::run(command.args(args), b"", Duration::from_secs(120))
    };
    let file = packaging("container/Containerfile");
    // On nothing instead of Debian, so that nothing is downloaded: the steps are the same.
    let args = ["build", "--isolation", "chroot", "--build-arg", "BASE=scratch", "-t", "countersign", "-f"];
    buildah(&[&args[..], &[file.to_str().unwrap(), context.to_str().unwrap()]].concat()).ok();
    let image = buildah(&["inspect", "--type", "image", "countersign"]).ok().json();
    let config = &image["OCIv1"]["config"];
    assert_eq!(config["User"], "65532:65532");
    assert_eq!(config["StopSignal"], "SIGTERM");
    assert_eq!(config["Entrypoint"], serde_json::json!(["/usr/bin/countersign"]));
    assert!(config["Volumes"]["/var/lib/countersign"].is_object(), "{config}");
    // What it runs is a command line that the program knows.
    let words: Vec<&str> =
        config["Cmd"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    let known =
        runs(env!("CARGO_BIN_EXE_countersign"), &[&words[..], &["--help"]].concat(), folder.path(), b"").ok();
    assert!(known.stdout.contains("run"), "{}", known.story());
    let whole = std::fs::read_to_string(&file).unwrap();
    assert!(whole.contains("ARG BASE=docker.io/library/debian:bookworm-slim"), "{whole}");
}
