//! A batch as a mail (RFC 5322), sent by SMTP (RFC 5321).

use std::sync::mpsc;
use std::time::{Duration, SystemTime};

use examiner::UnixTime;
use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{Message, SmtpTransport, Transport};

use super::{Batch, DEADLINE};
use crate::config::file::MailTlsFile;
use crate::config::notify::Mail;

/// How long one answer of the server may take.
const ANSWER: Duration = Duration::from_secs(20);
/// Certificates that a mail lists.
const MOST_LINES: usize = 500;

/// Sends it; an error says what the server, or the way to it, had against that.
pub fn send(mail: &Mail, batch: &Batch, now: UnixTime) -> Result<(), String> {
    let message = message(mail, batch, now)?;
    let transport = transport(mail)?;
    // A server that answers octet by octet is let go after all that time: the thread ends with this process.
    let (done, outcome) = mpsc::channel();
    std::thread::Builder::new()
        .name("mail".into())
        .spawn(move || drop(done.send(transport.send(&message))))
        .map_err(|error| format!("no thread for it: {error}"))?;
    match outcome.recv_timeout(DEADLINE) {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(told(&error)),
        Err(_) => Err(format!("the server did not take it within {} seconds", DEADLINE.as_secs())),
    }
}

fn transport(mail: &Mail) -> Result<SmtpTransport, String> {
    let tls = match mail.tls {
        MailTlsFile::Starttls => Tls::Required(parameters(mail)?),
        MailTlsFile::Tls => Tls::Wrapper(parameters(mail)?),
        MailTlsFile::None => Tls::None,
    };
    let mut builder =
        SmtpTransport::builder_dangerous(&mail.host).port(mail.port).tls(tls).timeout(Some(ANSWER));
    if let Some((user, place)) = &mail.login {
        let password = place.read()?;
        builder = builder.credentials(Credentials::new(user.clone(), password.to_string()));
    }
    Ok(builder.build())
}

fn parameters(mail: &Mail) -> Result<TlsParameters, String> {
    let mut builder = TlsParameters::builder(mail.host.clone()).certificate_store(CertificateStore::None);
    let roots: Vec<Vec<u8>> = match &mail.roots {
        Some(path) => {
            let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
            let all = examiner::cert::pem::certificates(&bytes)
                .map_err(|error| format!("{}: {error}", path.display()))?;
            all.iter().map(|one| one.der.to_vec()).collect()
        }
        None => webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().map(|one| one.to_vec()).collect(),
    };
    for root in roots {
        builder = builder.add_root_certificate(Certificate::from_der(root).map_err(|error| told(&error))?);
    }
    builder.build_rustls().map_err(|error| told(&error))
}

fn message(mail: &Mail, batch: &Batch, now: UnixTime) -> Result<Message, String> {
    let seconds = u64::try_from(now.seconds()).unwrap_or(0);
    let mut builder = Message::builder()
        .from(mail.from.clone())
        .subject(batch.subject())
        .date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
        // The same where it is sent again: who has it already can tell.
        .message_id(Some(format!("<{}@{}>", batch.id, mail.from.email.domain())))
        .header(ContentType::TEXT_PLAIN);
    for to in &mail.to {
        builder = builder.to(to.clone());
    }
    builder.body(text(batch)).map_err(|error| error.to_string())
}

/// What the mail says.
fn text(batch: &Batch) -> String {
    let mut text = String::from("The last certificate of each of these parties ends:\n\n");
    for one in batch.notices.iter().take(MOST_LINES) {
        text += &format!("  {}  {}\n", one.not_after, one.party);
    }
    if let Some(more @ 1..) = batch.notices.len().checked_sub(MOST_LINES) {
        text += &format!("  and {more} more\n");
    }
    text += "\nAll that end soon: countersign party list --expires-within 30d\n\
             Renew one: countersign party renew NAME\n\
             Machines renew themselves with countersign renew; one that stands here does not.\n";
    text
}

/// What the server said, or the way to it.
fn told(error: &dyn std::error::Error) -> String {
    let mut what = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !what.contains(&inner_text) {
            what += &format!(": {inner_text}");
        }
        cause = inner.source();
    }
    what.chars().take(500).collect::<String>().escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notices::Notice;
    use policy::PartyName;

    fn mail() -> Mail {
        Mail {
            host: "localhost".into(),
            port: 25,
            tls: MailTlsFile::None,
            roots: None,
            from: "Gate <gate@lab.test>".parse().unwrap(),
            to: vec!["ops@lab.test".parse().unwrap(), "more@lab.test".parse().unwrap()],
            login: None,
        }
    }

    #[test]
    fn a_mail_says_who_ends_when_and_has_a_name_that_stays() {
        let now = UnixTime(1_800_000_000);
        let notice = Notice { not_after: now.plus(86_400), party: PartyName::parse("svc").unwrap(), days: 3 };
        let batch = Batch::of("mail", vec![notice]);
        let text = |at| String::from_utf8(message(&mail(), &batch, at).unwrap().formatted()).unwrap();
        let made = text(now);
        for line in [
            "From: Gate <gate@lab.test>",
            "To: ops@lab.test, more@lab.test",
            "Subject: The certificate of svc ends within 3 days",
            &format!("Message-ID: <{}@lab.test>", batch.id),
            "2027-01-16T08:00:00Z  svc",
        ] {
            assert!(made.contains(line), "{line} in\n{made}");
        }
        assert!(text(now.plus(600)).contains(&batch.id));
    }

    #[test]
    fn a_long_list_is_cut_with_its_number() {
        let notices = (0..MOST_LINES + 2).map(|number| Notice {
            not_after: UnixTime(1_800_000_000),
            party: PartyName::parse(&format!("p{number}")).unwrap(),
            days: 14,
        });
        let text = text(&Batch::of("mail", notices.collect()));
        assert!(text.contains("and 2 more") && text.contains("p499\n") && !text.contains("p500\n"));
    }
}
