//! The packaged units under a real systemd, as process 1 of namespaces of its own, which only root makes.

use std::io::Write;

use testkit::systemd::{Disk, Systemd};
use testkit::{CurlResult, Echo, Portal, SITE, Sandbox, eventually, free_port, tools};

use crate::support::binary;

const UNITS: [(&str, &str); 4] = [
    ("countersign.service", include_str!("../../../../packaging/systemd/countersign.service")),
    ("countersign.socket", include_str!("../../../../packaging/systemd/countersign.socket")),
    ("countersign-renew@.service", include_str!("../../../../packaging/systemd/countersign-renew@.service")),
    ("countersign-renew@.timer", include_str!("../../../../packaging/systemd/countersign-renew@.timer")),
];

/// A disk with the program and its units; `None`, said aloud past the capture of output, where this user makes no namespaces.
fn installed() -> Option<Disk> {
    if !rustix::process::geteuid().is_root() {
        let mut past_the_capture = std::io::stderr();
        writeln!(past_the_capture, "under_systemd: left out, only root starts a systemd").unwrap();
        assert!(std::env::var_os("CI").is_none(), "in CI this test must run");
        return None;
    }
    let disk = Disk::new();
    disk.put("usr/bin/countersign", 0o755, std::fs::read(env!("CARGO_BIN_EXE_countersign")).unwrap());
    for (name, text) in UNITS {
        disk.unit(name, text);
    }
    Some(disk)
}

#[test]
fn the_timer_has_a_machine_s_certificate_renewed_within_the_walls_of_its_unit() {
    let Some(disk) = installed() else { return };
    let port = free_port();
    let enrol = format!("[enrol]\nlisten = \"127.0.0.1:{port}\"\nurl = \"https://localhost:{port}\"\n");
    let mut portal = Portal::build(&binary()).extra_toml(&enrol).prepare();
    let add = ["party", "add", "svc", "--site", SITE, "--profile", "service", "--pem", "--out", "."];
    portal.countersign(&add).ok();
    portal.start_gate();
    let first = portal.sandbox.read("svc.pem");

    let place = "etc/countersign/renew/svc";
    disk.put(&format!("{place}/cert.pem"), 0o644, &first);
    disk.put(&format!("{place}/key.pem"), 0o600, portal.sandbox.read("svc.key"));
    disk.put(&format!("{place}/ca.pem"), 0o644, &portal.ca_pem);
    disk.put(&format!("{place}/settings"), 0o644, format!("URL=https://localhost:{port}\n"));
    // As packaged but for the moment, which is every second instead of twice a day, and what follows a renewal.
    let soon = "[Timer]\nOnCalendar=\nOnCalendar=*:*:*\nRandomizedDelaySec=0\nAccuracySec=100ms\n";
    disk.unit("countersign-renew@.timer.d/soon.conf", soon);
    disk.unit(
        "countersign-renew@.service.d/then.conf",
        "[Service]\nExecStartPost=systemctl try-reload-or-restart nginx\n",
    );
    let systemd = disk.boot();
    let (service, timer) = ("countersign-renew@svc.service", "countersign-renew@svc.timer");
    systemd.run(&["systemctl", "enable", "--now", timer]).ok();

    // Nothing is due, time and again.
    eventually("a look at a certificate that is not due", || {
        (systemd.journal(service).matches("not due before").count() >= 2).then_some(())
    });
    assert_eq!(systemd.read(&format!("{place}/cert.pem")), first);

    systemd.run(&["sh", "-c", &format!("echo OPTIONS=--force >> /{place}/settings")]).ok();
    let renewed = eventually("the renewal", || {
        let now = systemd.read(&format!("{place}/cert.pem"));
        (now != first).then_some(now)
    });
    systemd.run(&["systemctl", "stop", timer]).ok();
    let journal = eventually("what the journal says of it", || {
        let journal = systemd.journal(service);
        journal.contains("renewed until").then_some(journal)
    });
    assert!(!journal.contains("Failed"), "{journal}");
    systemd.run(&["systemctl", "is-failed", service]).exited(1);
    // What lies there is a pair that enters.
    eventually("the last renewal ended", || {
        let state = systemd.run(&["systemctl", "is-active", service]).stdout;
        (state.trim() == "inactive").then_some(())
    });
    portal.sandbox.write("next.pem", systemd.read(&format!("{place}/cert.pem")));
    portal.sandbox.write("next.key", systemd.read(&format!("{place}/key.pem")));
    eventually("the renewed one enters", || {
        (portal.curl(Some("next"), "/", &[]).status == 200).then_some(())
    });
    let key = systemd.run(&["stat", "--format=%a", &format!("/{place}/key.pem")]).ok().stdout;
    assert_eq!(key.trim(), "600");
    assert_ne!(renewed, first);

    // Refused, it fails where the administrator looks.
    portal.countersign(&["party", "revoke", "svc"]).ok();
    systemd.run(&["systemctl", "start", service]).exited(1);
    assert_eq!(systemd.run(&["systemctl", "is-failed", service]).ok().stdout.trim(), "failed");
    let journal = systemd.journal(service);
    assert!(journal.contains("revoked"), "{journal}");
}

/// The service inside, and a folder outside for those who visit it.
struct Service {
    systemd: Systemd,
    folder: Sandbox,
    echo: Echo,
    port: u16,
}

impl Service {
    /// Installed, configured and started as the guide has it; `alice` may enter.
    fn started(disk: Disk) -> Self {
        let (port, admin, echo) = (free_port(), free_port(), Echo::start());
        let upstream = echo.url();
        disk.put(
            "etc/countersign/countersign.toml",
            0o644,
            format!(
                "[server]\nlisten = [\"127.0.0.1:{port}\"]\nadmin = \"127.0.0.1:{admin}\"\nstate = \"/var/lib/countersign\"\n\
                 [log]\nfile = \"/var/log/countersign/access.log\"\n\
                 [site.\"{SITE}\"]\nupstream = \"{upstream}\"\nallow = [\"alice\"]\n"
            ),
        );
        let service = Self { systemd: disk.boot(), folder: Sandbox::new(&binary()), echo, port };
        service.systemd.run(&["systemctl", "enable", "--now", "countersign"]).ok();
        service.countersign("party add alice --pem --out /var/lib/countersign");
        let ca = service.countersign("ca show own --format pem");
        service.folder.write("ca.pem", ca);
        for name in ["alice.pem", "alice.key"] {
            let text = service.systemd.read(&format!("var/lib/private/countersign/{name}"));
            service.folder.write(name, text);
        }
        service
    }

    /// A command as the guide's alias runs it; what it printed.
    #[track_caller]
    fn countersign(&self, words: &str) -> String {
        let alias = "systemd-run --quiet --pipe --collect -p DynamicUser=yes -p User=countersign \
                     -p StateDirectory=countersign -p UMask=0077 countersign --config /etc/countersign/countersign.toml";
        let words: Vec<&str> = alias.split_whitespace().chain(words.split(' ')).collect();
        self.systemd.run(&words).ok().stdout
    }

    fn curl(&self, cert: Option<&str>) -> CurlResult {
        tools::curl_at(self.folder.dir(), SITE, self.port, cert, "/", &[])
    }

    #[track_caller]
    fn enters(&self) {
        eventually("alice enters", || (self.curl(Some("alice")).status == 200).then_some(()));
    }

    #[track_caller]
    fn property(&self, name: &str) -> String {
        let show = ["systemctl", "show", "--value", "--property", name, "countersign"];
        self.systemd.run(&show).ok().stdout.trim().to_owned()
    }

    /// Another main process than `old`, which systemd calls ready.
    #[track_caller]
    fn next_main(&self, old: &str) -> String {
        eventually("another main process", || {
            let main = self.property("MainPID");
            (main != old && main != "0" && self.property("SubState") == "running").then_some(main)
        })
    }
}

#[test]
fn the_service_lives_within_the_walls_of_its_unit_and_systemd_follows_it() {
    let Some(disk) = installed() else { return };
    disk.unit("countersign.service.d/soon.conf", "[Service]\nWatchdogSec=4\nTimeoutAbortSec=2\n");
    let service = Service::started(disk);
    let systemd = &service.systemd;
    service.enters();
    assert_eq!(service.curl(None).status, 403);
    assert!(
        service.property("StatusText").starts_with("ready: 1 site"),
        "{}",
        service.property("StatusText")
    );
    assert_ne!(service.property("UID"), "0", "a user of its own");

    // A good reload, a wrong one, and one that repairs it.
    systemd.run(&["systemctl", "reload", "countersign"]).ok();
    systemd.run(&["sed", "-i", "s/upstream/upsteam/", "/etc/countersign/countersign.toml"]).ok();
    systemd.run(&["systemctl", "reload", "countersign"]).exited(1);
    assert!(systemd.journal("countersign").contains("upsteam"), "{}", systemd.journal("countersign"));
    service.enters();
    systemd.run(&["sed", "-i", "s/upsteam/upstream/", "/etc/countersign/countersign.toml"]).ok();
    systemd.run(&["systemctl", "reload", "countersign"]).ok();

    // An upgrade is no restart.
    let first = service.property("MainPID");
    systemd.run(&["systemctl", "kill", "--kill-who=main", "--signal=SIGUSR2", "countersign"]).ok();
    let heir = service.next_main(&first);
    service.enters();
    assert_eq!(service.property("NRestarts"), "0");

    // One that ends by itself, and one that stands still, are started again.
    systemd.run(&["systemctl", "kill", "--kill-who=main", "--signal=SIGKILL", "countersign"]).ok();
    let third = service.next_main(&heir);
    service.enters();
    systemd.run(&["systemctl", "kill", "--kill-who=main", "--signal=SIGSTOP", "countersign"]).ok();
    service.next_main(&third);
    service.enters();
    assert!(
        systemd.journal("countersign").contains("Watchdog timeout"),
        "{}",
        systemd.journal("countersign")
    );

    service.countersign("party revoke alice");
    assert_eq!(service.curl(Some("alice")).status, 403);
    systemd.run(&["systemctl", "stop", "countersign"]).ok();
    assert_eq!((service.property("Result"), service.property("SubState")), ("success".into(), "dead".into()));
}

#[test]
fn with_the_sockets_of_systemd_nobody_is_turned_away_by_a_restart() {
    let Some(disk) = installed() else { return };
    let closed = "[Service]\nAmbientCapabilities=\nCapabilityBoundingSet=\n";
    disk.unit("countersign.service.d/closed.conf", closed);
    let service = Service::started(disk);
    let systemd = &service.systemd;
    systemd.run(&["systemctl", "stop", "countersign"]).ok();
    let ports = format!("[Socket]\nListenStream=\nListenStream=127.0.0.1:{}\n", service.port);
    let folder = "/etc/systemd/system/countersign.socket.d";
    let write = format!(
        "mkdir -p {folder} && printf '%s' '{ports}' > {folder}/ports.conf && systemctl daemon-reload"
    );
    systemd.run(&["sh", "-c", &write]).ok();
    systemd.run(&["systemctl", "enable", "--now", "countersign.socket"]).ok();
    // The first visitor has it started.
    assert_eq!(service.property("SubState"), "dead");
    assert_eq!(service.curl(Some("alice")).status, 200);
    let first = service.property("MainPID");

    std::thread::scope(|scope| {
        let restart = scope.spawn(|| systemd.run(&["systemctl", "restart", "countersign"]));
        while !restart.is_finished() {
            assert_eq!(service.curl(Some("alice")).status, 200, "{}", systemd.journal("countersign"));
        }
        restart.join().unwrap().ok();
    });
    assert_ne!(service.property("MainPID"), first);
    assert_eq!(service.curl(Some("alice")).status, 200);
    assert!(service.echo.count() > 2);
}
