//! Real servers of other makers, on a free port, ended with the test: with a few lines in settings of our own
//! ([`Server::nginx`], …), or with whole settings ([`Server::nginx_with`], …).

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use testkit::free_port;

use crate::support::eventually;

/// A server at work.
pub struct Server {
    child: Child,
    /// Its port on 127.0.0.1.
    pub port: u16,
}

impl Server {
    /// nginx: `http` stands in its http block, `server` in the server block of `host`.
    #[track_caller]
    pub fn nginx(dir: &Path, http: &str, server: &str, host: &str) -> Self {
        let port = free_port();
        let http = format!(
            "{http}\nserver {{ listen 127.0.0.1:{port} ssl; server_name {host};\n{server}\n\
             location / {{ default_type text/plain; return 200 \"behind it\"; }} }}"
        );
        Self::nginx_with(dir, port, "", &http)
    }

    /// nginx: `main` stands beside its http block, `http` in it; one of them listens on `port`.
    #[track_caller]
    pub fn nginx_with(dir: &Path, port: u16, main: &str, http: &str) -> Self {
        let module = "load_module /usr/lib/nginx/modules/ngx_stream_module.so;\n";
        let module = if main.contains("stream {") { module } else { "" };
        let conf = format!(
            "{module}daemon off; master_process off; pid nginx.pid; error_log nginx.log warn;\nevents {{ worker_connections 64; }}\n\
             {main}\nhttp {{ access_log off; client_body_temp_path tmp1; proxy_temp_path tmp2; fastcgi_temp_path tmp3;\n\
             uwsgi_temp_path tmp4; scgi_temp_path tmp5;\n{http} }}\n"
        );
        std::fs::write(dir.join("nginx.conf"), conf).unwrap();
        let mut command = Command::new(found("nginx"));
        command.arg("-p").arg(format!("{}/", dir.display())).args(["-c", "nginx.conf"]);
        Self::start(command, dir, port)
    }

    /// Apache: `server` stands in the VirtualHost of `host`.
    #[track_caller]
    pub fn apache(dir: &Path, server: &str, host: &str) -> Self {
        let port = free_port();
        std::fs::create_dir_all(dir.join("www")).unwrap();
        std::fs::write(dir.join("www/index.html"), "behind it").unwrap();
        let here = dir.display();
        let body = format!(
            "Listen 127.0.0.1:{port}\n<VirtualHost 127.0.0.1:{port}>\nServerName {host}\nDocumentRoot {here}/www\n\
             DirectoryIndex index.html\n<Directory {here}/www>\nRequire all granted\n</Directory>\nSSLEngine on\n\
             {server}\n</VirtualHost>\n"
        );
        Self::apache_with(dir, port, &body)
    }

    /// Apache: `body` is its settings behind the modules; it listens on `port`.
    #[track_caller]
    pub fn apache_with(dir: &Path, port: u16, body: &str) -> Self {
        let here = dir.display();
        let modules = "/usr/lib/apache2/modules";
        let names = [
            "mpm_event",
            "authn_core",
            "authz_core",
            "dir",
            "headers",
            "proxy",
            "proxy_http",
            "remoteip",
            "setenvif",
            "socache_shmcb",
            "ssl",
        ];
        let load: String =
            names.iter().map(|name| format!("LoadModule {name}_module {modules}/mod_{name}.so\n")).collect();
        let conf = format!(
            "{load}ServerRoot {here}\nDefaultRuntimeDir {here}\nPidFile {here}/apache.pid\nErrorLog {here}/apache.log\n\
             ServerName localhost\nSSLSessionCache none\n{body}"
        );
        std::fs::write(dir.join("apache.conf"), conf).unwrap();
        // Its children run as another user, who must be able to look in.
        let open = <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o755);
        std::fs::set_permissions(dir, open).unwrap();
        let mut command = Command::new(found("apache2"));
        command.arg("-d").arg(dir).arg("-f").arg(dir.join("apache.conf")).arg("-DFOREGROUND");
        Self::start(command, dir, port)
    }

    /// HAProxy: `frontend` stands in its frontend, with `bind :443` made a free port of this machine.
    #[track_caller]
    pub fn haproxy(dir: &Path, frontend: &str) -> Self {
        let port = free_port();
        let frontend = frontend.replace("bind :443 ", &format!("bind 127.0.0.1:{port} "));
        let conf = format!(
            "global\n  tune.ssl.cachesize 0\ndefaults\n  mode http\n  timeout connect 5s\n  timeout client 30s\n  \
             timeout server 30s\nfrontend site\n{frontend}\n  http-request return status 200 content-type text/plain \
             string \"behind it\"\n"
        );
        Self::haproxy_with(dir, port, &conf)
    }

    /// HAProxy: `conf` is its whole file; it listens on `port`.
    #[track_caller]
    pub fn haproxy_with(dir: &Path, port: u16, conf: &str) -> Self {
        std::fs::write(dir.join("haproxy.cfg"), conf).unwrap();
        let mut command = Command::new(found("haproxy"));
        command.args(["-db", "-f"]).arg(dir.join("haproxy.cfg"));
        Self::start(command, dir, port)
    }

    /// Caddy: `site` stands in the block of `host`.
    #[track_caller]
    pub fn caddy(dir: &Path, site: &str, host: &str) -> Self {
        let port = free_port();
        let conf = format!(
            "{{\n  admin off\n  auto_https off\n}}\nhttps://{host}:{port} {{\n  bind 127.0.0.1\n  {site}\n  \
             respond \"behind it\"\n}}\n"
        );
        Self::caddy_with(dir, port, &conf)
    }

    /// Caddy: `conf` is its whole file; it listens on `port`.
    #[track_caller]
    pub fn caddy_with(dir: &Path, port: u16, conf: &str) -> Self {
        std::fs::write(dir.join("Caddyfile"), conf).unwrap();
        let mut command = Command::new(fetched("caddy"));
        command.args(["run", "--adapter", "caddyfile", "--config"]).arg(dir.join("Caddyfile"));
        command.env("HOME", dir).env("XDG_DATA_HOME", dir).env("XDG_CONFIG_HOME", dir);
        Self::start(command, dir, port)
    }

    /// Traefik: `conf` is its static file; it listens on `port`, and asks nobody for a newer version.
    #[track_caller]
    pub fn traefik_with(dir: &Path, port: u16, conf: &str) -> Self {
        let conf = format!("{conf}global:\n  checkNewVersion: false\n  sendAnonymousUsage: false\n");
        std::fs::write(dir.join("traefik.yml"), conf).unwrap();
        let mut command = Command::new(fetched("traefik"));
        command.current_dir(dir).env("HOME", dir).arg("--configFile=traefik.yml");
        Self::start(command, dir, port)
    }

    /// Node.js: `lines` make `server`, with the handler `app`.
    #[track_caller]
    pub fn node(dir: &Path, lines: &str) -> Self {
        let port = free_port();
        let script = format!(
            "const app = (request, response) => response.end(\"behind it\");\n{lines}server.listen({port}, \"127.0.0.1\");\n"
        );
        std::fs::write(dir.join("server.js"), script).unwrap();
        let mut command = Command::new(found("node"));
        command.arg(dir.join("server.js"));
        Self::start(command, dir, port)
    }

    #[track_caller]
    fn start(mut command: Command, dir: &Path, port: u16) -> Self {
        let log = std::fs::File::create(dir.join("server.log")).unwrap();
        let errors = log.try_clone().unwrap();
        let child =
            command.stdin(Stdio::null()).stdout(log).stderr(errors).spawn().expect("the server starts");
        let mut server = Self { child, port };
        eventually("the server listens", || {
            let ended = server.child.try_wait().unwrap();
            assert!(ended.is_none(), "{}", std::fs::read_to_string(dir.join("server.log")).unwrap());
            std::net::TcpStream::connect(("127.0.0.1", port)).ok()
        });
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A polite end, so that a server of several processes takes its own with it.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let patience = std::time::Instant::now();
        while patience.elapsed().as_secs() < 5 {
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
    let places = ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"];
    let all = places.iter().map(|place| Path::new(place).join(name));
    all.into_iter()
        .find(|path| path.is_file())
        .unwrap_or_else(|| panic!("{name} is not installed; see ./check"))
}

/// A program that `./check` gets with a Python package, or that `COUNTERSIGN_NAME` names.
fn fetched(name: &str) -> PathBuf {
    let named = std::env::var_os(format!("COUNTERSIGN_{}", name.to_uppercase())).map(PathBuf::from);
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let own = target.join(name).join("bin").join(name);
    let all = named.into_iter().chain([own, target.join("bench-peers/bin").join(name)]);
    all.into_iter().find(|path| path.is_file()).unwrap_or_else(|| panic!("{name} is there; ./check gets it"))
}
