//! What the program reads of servers and resolvers. It is a program and no library: its sources are read here as they are.

use tokio::io::{join, sink};
use tokio::time::{Duration, Instant};

#[allow(dead_code, unused_imports, unreachable_pub)]
#[path = "../../crates/countersign/src/probe"]
mod sources {
    #[path = "look"]
    pub mod look {
        #[path = "flight.rs"]
        pub mod flight;
        #[path = "flight13.rs"]
        pub mod flight13;
        #[path = "hello.rs"]
        pub mod hello;
        #[path = "secrets.rs"]
        mod secrets;
        #[path = "wire.rs"]
        pub mod wire;
    }
    #[path = "dns"]
    pub mod dns {
        #[path = "message.rs"]
        pub mod message;
        #[path = "records.rs"]
        pub mod records;
    }
}

use sources::dns::{message, records};
use sources::look::flight::{self, Flight};
use sources::look::hello::{Hello, Keys};
use sources::look::{flight13, wire};

/// The bytes as all that a server sends, and as the messages of a server that encrypts.
pub fn flight(bytes: &[u8]) {
    let hello = Hello { servername: None, alpn: &[], random: [0; 32], keys: Keys::All, unpacks: false };
    whole(async {
        let until = Instant::now() + Duration::from_secs(60);
        let seen = flight::flight(join(bytes, sink()), &hello, until).await;
        assert!(seen.chain.len() <= flight::MOST_CERTIFICATES);
    });
    whole(async {
        let mut messages = wire::Messages::of(bytes);
        let mut seen = Flight::nothing();
        while let Ok(message) = messages.next().await {
            let _ = flight13::server_hello(&message);
            let _ = flight13::take(&message, &mut seen);
        }
        assert!(seen.chain.len() <= flight::MOST_CERTIFICATES);
    });
}

/// The bytes as a resolver's answer to a question, and as the contents of a record.
pub fn dns(bytes: &[u8]) {
    for kind in [message::Type::Caa, message::Type::Tlsa, message::Type::Https] {
        // The answer repeats the number of its question.
        let id = bytes.first_chunk().map_or(0, |two| u16::from_be_bytes(*two));
        let question = message::question(id, "a.example", kind, true).unwrap_or_default();
        let records =
            message::answer(bytes, &question, kind).map(|answer| answer.records).unwrap_or_default();
        for data in records.iter().map(Vec::as_slice).chain([bytes]) {
            let _ = (records::caa(data), records::tlsa(data), records::service(data));
        }
    }
}

/// Runs what never waits: all its bytes are there.
fn whole(work: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    if let Ok(runtime) = runtime {
        runtime.block_on(work);
    }
}
