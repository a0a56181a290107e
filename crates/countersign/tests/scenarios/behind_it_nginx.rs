use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use testkit::{Portal, free_port};

use crate::support::{binary, eventually};

/// A real nginx with a page, on a free port, ended with the test.
struct Nginx {
    child: Child,
    port: u16,
}

impl Nginx {
    fn start(folder: &Path) -> Self {
        let port = free_port();
        std::fs::create_dir_all(folder.join("www")).unwrap();
        std::fs::write(folder.join("www/index.html"), "<h1>a page behind nginx</h1>\n".repeat(40)).unwrap();
        let conf = format!(
            "daemon off; master_process off; pid nginx.pid; error_log stderr warn;\nevents {{ worker_connections 1024; }}\n\
             http {{ access_log off; client_body_temp_path tmp1; proxy_temp_path tmp2; fastcgi_temp_path tmp3;\n\
             uwsgi_temp_path tmp4; scgi_temp_path tmp5; keepalive_requests 1000000;\n\
             server {{ listen 127.0.0.1:{port}; root www; }} }}\n"
        );
        std::fs::write(folder.join("nginx.conf"), conf).unwrap();
        let child = Command::new("nginx")
            .args(["-p", &format!("{}/", folder.display()), "-c", "nginx.conf"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx can be started");
        eventually("nginx listens", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
        Self { child, port }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const CONNECTIONS: usize = 50;
const REQUESTS_EACH: usize = 200;

#[test]
fn ten_thousand_requests_of_each_protocol_pass_without_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let nginx = Nginx::start(folder.path());
    let portal =
        Portal::build(&binary()).upstream(&format!("http://127.0.0.1:{}", nginx.port)).party("alice").start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let local = tokio::task::LocalSet::new();
        local
            .run_until(async {
                for h2 in [false, true] {
                    let mut tasks = Vec::new();
                    for _ in 0..CONNECTIONS {
                        let client = portal.client_as("alice");
                        let port = portal.port;
                        tasks.push(tokio::task::spawn_local(async move {
                            if h2 {
                                let connection = client.connect_h2(port, "portal.test").await.unwrap();
                                for _ in 0..REQUESTS_EACH {
                                    assert_eq!(connection.get("/", &[]).await.unwrap().status, 200);
                                }
                            } else {
                                let mut connection = client.connect(port, "portal.test").await.unwrap();
                                for _ in 0..REQUESTS_EACH {
                                    assert_eq!(connection.get("/", &[]).await.unwrap().status, 200);
                                }
                            }
                        }));
                    }
                    for task in tasks {
                        tokio::time::timeout(Duration::from_secs(120), task).await.expect("in time").unwrap();
                    }
                }
            })
            .await;
    });
}
