//! Servers that speak another protocol before TLS, each of Debian's packages: started as small as it goes, in a folder of
//! its own, and ended with its [`Peer`].

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::{TestCert, eventually, free_port};

/// A folder with `cert.pem` and `key.pem`, which every user may look into.
pub struct Files {
    dir: TempDir,
}

/// A server at work.
pub struct Peer {
    child: Child,
}

/// A server, and its ports, each with the word for what is spoken there.
pub type Started = (Peer, Vec<(&'static str, u16)>);

impl Files {
    /// The folder.
    pub fn new(cert: &TestCert) -> Self {
        let files = Self { dir: tempfile::tempdir().unwrap() };
        files.write("cert.pem", &cert.chain_pem);
        files.write("key.pem", &cert.key_pem);
        for (name, mode) in [("", 0o755), ("cert.pem", 0o644), ("key.pem", 0o600)] {
            let path = files.dir.path().join(name);
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        }
        files
    }

    fn here(&self) -> String {
        self.dir.path().display().to_string()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.dir.path().join(name), text).unwrap();
    }

    fn folders(&self, names: &[&str]) {
        for name in names {
            std::fs::create_dir_all(self.dir.path().join(name)).unwrap();
        }
    }

    /// Gives them to a user of the system, who runs the server.
    fn give(&self, owner: &str, names: &[&str]) {
        for name in names {
            let path = self.dir.path().join(name);
            assert!(Command::new("chown").arg(owner).arg(path).status().unwrap().success(), "{name}");
        }
    }

    /// A server, and its ports once it listens on them.
    #[track_caller]
    fn start(&self, mut command: Command, ports: Vec<(&'static str, u16)>) -> Started {
        let log = std::fs::File::create(self.dir.path().join("server.log")).unwrap();
        let errors = log.try_clone().unwrap();
        command.current_dir(self.dir.path()).stdin(Stdio::null()).stdout(log).stderr(errors);
        let mut peer = Peer { child: command.spawn().expect("the server starts") };
        for (_, port) in &ports {
            eventually("the server listens", || {
                let said = || std::fs::read_to_string(self.dir.path().join("server.log")).unwrap();
                assert!(peer.child.try_wait().unwrap().is_none(), "{}", said());
                std::net::TcpStream::connect(("127.0.0.1", *port)).ok()
            });
        }
        (peer, ports)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // A polite end, so that a server of several processes takes its own with it.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let patience = std::time::Instant::now();
        while patience.elapsed().as_secs() < 10 {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program of the system's packages.
fn found(name: &str) -> PathBuf {
    let places = ["/usr/sbin", "/usr/bin", "/usr/lib/postfix/sbin"];
    let all = places.iter().map(|place| Path::new(place).join(name));
    all.into_iter()
        .find(|path| path.is_file())
        .unwrap_or_else(|| panic!("{name} is not installed; see ./check"))
}

/// The program as a user without rights, which some servers insist on.
fn as_nobody(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]).arg(program);
    command
}

/// Postfix: SMTP.
pub fn postfix(files: &Files, with_tls: bool) -> Started {
    let (port, here) = (free_port(), files.here());
    let queue = [
        "private", "active", "incoming", "deferred", "defer", "hold", "flush", "saved", "trace", "bounce",
        "corrupt",
    ];
    let queue: Vec<String> = queue.iter().map(|name| format!("queue/{name}")).collect();
    let queue: Vec<&str> = queue.iter().map(String::as_str).collect();
    files.folders(&queue);
    files.folders(&["queue/pid", "queue/public", "queue/maildrop", "data"]);
    files.give("postfix", &queue);
    files.give("postfix", &["data"]);
    files.give("postfix:postdrop", &["queue/public", "queue/maildrop"]);
    let level = if with_tls { "may" } else { "none" };
    files.write(
        "main.cf",
        &format!(
            "compatibility_level = 3.6\nqueue_directory = {here}/queue\ndata_directory = {here}/data\n\
             command_directory = /usr/sbin\ndaemon_directory = /usr/lib/postfix/sbin\nmail_owner = postfix\n\
             setgid_group = postdrop\nmyhostname = mail.example\ninet_interfaces = 127.0.0.1\nalias_maps =\n\
             smtpd_tls_security_level = {level}\nsmtpd_tls_cert_file = {here}/cert.pem\n\
             smtpd_tls_key_file = {here}/key.pem\nmaillog_file = {here}/mail.log\nmaillog_file_prefixes = {here}\n"
        ),
    );
    files.write(
        "master.cf",
        &format!(
            "127.0.0.1:{port} inet n - n - - smtpd\ntlsmgr unix - - n 1000? 1 tlsmgr\n\
             rewrite unix - - n - - trivial-rewrite\nproxymap unix - - n - - proxymap\nanvil unix - - n - 1 anvil\n\
             postlog unix-dgram n - n - 1 postlogd\ncleanup unix n - n - 0 cleanup\n"
        ),
    );
    let mut command = Command::new(found("master"));
    command.args(["-c", &here, "-d"]);
    files.start(command, vec![("smtp", port)])
}

/// Dovecot: IMAP, POP3, ManageSieve, LMTP.
pub fn dovecot(files: &Files) -> Started {
    let here = files.here();
    let ports: Vec<(&'static str, u16)> =
        ["imap", "pop3", "sieve", "lmtp"].map(|one| (one, free_port())).into();
    files.folders(&["run"]);
    let mut conf = format!(
        "base_dir = {here}/run\nstate_dir = {here}/run\nlog_path = {here}/mail.log\nprotocols = imap pop3 sieve lmtp\n\
         listen = 127.0.0.1\nssl = yes\nssl_cert = <{here}/cert.pem\nssl_key = <{here}/key.pem\n\
         default_internal_user = nobody\ndefault_login_user = nobody\ndefault_internal_group = nogroup\n\
         service anvil {{\n  chroot =\n}}\n\
         passdb {{\n  driver = static\n  args = nopassword=y\n}}\n\
         userdb {{\n  driver = static\n  args = uid=nobody gid=nogroup home={here}\n}}\n"
    );
    // Those that begin with TLS are not opened.
    let services = [
        ("imap-login", "imap", "  inet_listener imaps {\n    port = 0\n  }\n"),
        ("pop3-login", "pop3", "  inet_listener pop3s {\n    port = 0\n  }\n"),
        ("managesieve-login", "sieve", ""),
        ("lmtp", "lmtp", ""),
    ];
    for ((service, listener, closed), (_, port)) in services.iter().zip(&ports) {
        let chroot = if *service == "lmtp" { "" } else { "  chroot =\n" };
        conf += &format!(
            "service {service} {{\n{chroot}  inet_listener {listener} {{\n    port = {port}\n  }}\n{closed}}}\n"
        );
    }
    files.write("dovecot.conf", &conf);
    let mut command = Command::new(found("dovecot"));
    command.args(["-F", "-c"]).arg(files.dir.path().join("dovecot.conf"));
    files.start(command, ports)
}

/// vsftpd: FTP.
pub fn vsftpd(files: &Files, with_tls: bool) -> Started {
    let (port, here) = (free_port(), files.here());
    files.folders(&["empty"]);
    let tls = match with_tls {
        true => format!(
            "ssl_enable=YES\nrsa_cert_file={here}/cert.pem\nrsa_private_key_file={here}/key.pem\nallow_anon_ssl=YES\n"
        ),
        false => String::new(),
    };
    files.write(
        "vsftpd.conf",
        &format!(
            "listen=YES\nlisten_address=127.0.0.1\nlisten_port={port}\nbackground=NO\nanonymous_enable=YES\n\
             anon_root={here}/empty\nsecure_chroot_dir={here}/empty\n{tls}"
        ),
    );
    let mut command = Command::new(found("vsftpd"));
    command.arg(files.dir.path().join("vsftpd.conf"));
    files.start(command, vec![("ftp", port)])
}

/// OpenLDAP: LDAP.
pub fn slapd(files: &Files, with_tls: bool) -> Started {
    let (port, here) = (free_port(), files.here());
    files.folders(&["db"]);
    let tls = match with_tls {
        true => format!("TLSCertificateFile {here}/cert.pem\nTLSCertificateKeyFile {here}/key.pem\n"),
        false => String::new(),
    };
    files.write(
        "slapd.conf",
        &format!(
            "include /etc/ldap/schema/core.schema\npidfile {here}/slapd.pid\n{tls}database ldif\n\
             suffix \"dc=example\"\ndirectory {here}/db\n"
        ),
    );
    let mut command = Command::new(found("slapd"));
    command.args(["-d", "0", "-f"]).arg(files.dir.path().join("slapd.conf"));
    command.args(["-h", &format!("ldap://127.0.0.1:{port}")]);
    files.start(command, vec![("ldap", port)])
}

/// Prosody: XMPP.
pub fn prosody(files: &Files) -> Started {
    let (port, here) = (free_port(), files.here());
    files.folders(&["data"]);
    files.write(
        "prosody.cfg.lua",
        &format!(
            "daemonize = false\nrun_as_root = true\npidfile = \"{here}/prosody.pid\"\ndata_path = \"{here}/data\"\n\
             interfaces = {{ \"127.0.0.1\" }}\nc2s_ports = {{ {port} }}\ns2s_ports = {{}}\n\
             modules_enabled = {{ \"tls\", \"saslauth\" }}\nmodules_disabled = {{ \"s2s\", \"http\" }}\n\
             ssl = {{ key = \"{here}/key.pem\"; certificate = \"{here}/cert.pem\" }}\nlog = {{ info = \"*console\" }}\n\
             VirtualHost \"localhost\"\n"
        ),
    );
    let mut command = Command::new(found("prosody"));
    command.arg("--config").arg(files.dir.path().join("prosody.cfg.lua"));
    files.start(command, vec![("xmpp", port)])
}

/// PostgreSQL.
pub fn postgresql(files: &Files, with_tls: bool) -> Started {
    let (port, here) = (free_port(), files.here());
    let newest = std::fs::read_dir("/usr/lib/postgresql").ok().and_then(|all| {
        all.flatten().map(|one| one.path().join("bin")).filter(|bin| bin.join("initdb").is_file()).max()
    });
    let bin = newest.expect("postgresql is installed; see ./check");
    files.folders(&["data", "socket"]);
    files.give("nobody", &["data", "socket", "key.pem"]);
    let made =
        as_nobody(&bin.join("initdb")).args(["-D", &format!("{here}/data"), "-A", "trust"]).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let mut command = as_nobody(&bin.join("postgres"));
    command.args(["-D", &format!("{here}/data"), "-h", "127.0.0.1", "-p", &port.to_string()]);
    command.args(["-k", &format!("{here}/socket")]);
    if with_tls {
        for setting in [
            "ssl=on".into(),
            format!("ssl_cert_file={here}/cert.pem"),
            format!("ssl_key_file={here}/key.pem"),
        ] {
            command.args(["-c", &setting]);
        }
    }
    files.start(command, vec![("postgres", port)])
}

/// MariaDB. It is asked for nothing behind TLS, so it needs no tables of users.
pub fn mariadb(files: &Files, with_tls: bool) -> Started {
    let (port, here) = (free_port(), files.here());
    files.folders(&["data", "socket"]);
    files.give("nobody", &["data", "socket", "key.pem"]);
    let mut command = as_nobody(&found("mariadbd"));
    command.args(["--no-defaults", "--bind-address=127.0.0.1", "--skip-grant-tables", "--skip-networking=0"]);
    command.args(["--innodb=OFF", "--default-storage-engine=MyISAM"]);
    command.args([
        format!("--datadir={here}/data"),
        format!("--socket={here}/socket/s"),
        format!("--port={port}"),
    ]);
    if with_tls {
        command.args([format!("--ssl-cert={here}/cert.pem"), format!("--ssl-key={here}/key.pem")]);
    }
    files.start(command, vec![("mysql", port)])
}
