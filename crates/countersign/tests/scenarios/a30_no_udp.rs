use testkit::Portal;

use crate::support::binary;

#[test]
fn no_udp_port_is_open() {
    let portal = Portal::start(&binary());
    let pids = [portal.gate().pid(), portal.gate().gate_pid().expect("a gate")];
    for pid in pids {
        let mut inodes = Vec::new();
        for entry in std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten() {
            if let Ok(target) = std::fs::read_link(entry.path()) {
                let target = target.to_string_lossy().into_owned();
                if let Some(inode) = target.strip_prefix("socket:[").and_then(|t| t.strip_suffix(']')) {
                    inodes.push(inode.to_owned());
                }
            }
        }
        assert!(!inodes.is_empty(), "process {pid} has sockets");
        for table in ["udp", "udp6"] {
            let open = std::fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default();
            for line in open.lines().skip(1) {
                let inode = line.split_whitespace().nth(9).unwrap_or_default();
                assert!(!inodes.iter().any(|own| own == inode), "{table}: {line}");
            }
        }
    }
}

#[test]
fn http3_is_refused_with_the_reason() {
    let portal = Portal::build(&binary()).prepare();
    let config = portal.sandbox.read("countersign.toml").replace("[server]\n", "[server]\nhttp3 = true\n");
    assert!(config.contains("http3"), "{config}");
    portal.sandbox.write("countersign.toml", config);
    let refused = portal.countersign(&["validate"]).exited(3);
    assert!(refused.both().contains("http3") && refused.both().contains("QUIC"), "{}", refused.story());
}
