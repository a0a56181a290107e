//! `party add`: a party, and one way in for it: issued here, a pin, or a subject rule.

use std::path::{Path, PathBuf};

use authority::{KeyType, PrivateKey, pkcs12};
use examiner::{Certificate, Name, UnixTime};
use policy::record::{Origin, PinExceptions};
use policy::{Holder, HostName, PartyName, Principal};
use registry::CertificateRow;
use serde_json::json;

use super::effect::Effect;
use crate::cli::context::Context;
use crate::cli::issue::{self, Files, PasswordFrom};
use crate::cli::{Exit, Failure, Globals, Outcome, cert};
use crate::config::problem::did_you_mean;
use crate::config::profiles::{BUILT_IN, Choice};

/// `countersign party add`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The party's name: a-z, 0-9, `.`, `_`, `-`.
    party: String,
    /// A site it may enter; may be repeated. Without one it is granted nothing.
    #[arg(long = "site", value_name = "HOST")]
    sites: Vec<String>,
    #[command(flatten)]
    output: Output,
    /// Pin this certificate instead of issuing one.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["csr", "subject"])]
    cert: Option<PathBuf>,
    /// What of it: the very certificate, or its key (survives renewals with the same key and names).
    #[arg(long, value_parser = ["cert", "key"], requires = "cert")]
    pin: Option<String>,
    /// Admit this subject (RFC 4514, such as `O=Lab,CN=svc-1`) from a CA.
    #[arg(long, value_name = "NAME", requires = "ca", conflicts_with = "csr")]
    subject: Option<String>,
    /// The CA of the subject rule.
    #[arg(long, value_name = "NAME", requires = "subject")]
    ca: Option<String>,
    /// Issue for the key of this certificate request.
    #[arg(long, value_name = "FILE")]
    csr: Option<PathBuf>,
    /// What the party calls this certificate, such as `laptop`.
    #[arg(long)]
    label: Option<String>,
    /// What the certificate is for: `person`, `device`, `service`, or a profile of the configuration.
    #[arg(long, default_value = "person")]
    profile: String,
    #[command(flatten)]
    life: Life,
    /// Excuse a pinned certificate's missing client usage until this date.
    #[arg(long, value_name = "DATE", requires = "cert", value_parser = UnixTime::parse)]
    accept_without_client_usage_until: Option<UnixTime>,
    /// Excuse that a pinned certificate is a CA's until this date.
    #[arg(long, value_name = "DATE", requires = "cert", value_parser = UnixTime::parse)]
    accept_ca_certificate_until: Option<UnixTime>,
}

/// How long a certificate lasts.
#[derive(Debug, clap::Args)]
pub struct Life {
    /// Days until it ends.
    #[arg(long, value_name = "N", conflicts_with = "not_after", value_parser = clap::value_parser!(u32).range(1..))]
    days: Option<u32>,
    /// Its last moment.
    #[arg(long, value_name = "DATE", value_parser = UnixTime::parse)]
    not_after: Option<UnixTime>,
}

/// Where and how an issued certificate is written.
#[derive(Debug, clap::Args)]
pub struct Output {
    /// Also write NAME.pem and NAME.key beside NAME.p12.
    #[arg(long)]
    pem: bool,
    /// The kind of key to make: ecdsa-p256, ecdsa-p384, rsa-3072 or ed25519 (which browsers do not take).
    #[arg(long, value_name = "KIND", default_value = "ecdsa-p256", conflicts_with = "csr", value_parser = issue::key_type)]
    key_type: KeyType,
    /// The directory to write to.
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    /// How NAME.p12 is encrypted: `compatible` opens everywhere, `modern` needs current systems.
    #[arg(long, value_name = "PROFILE", default_value = "compatible", value_parser = ["compatible", "modern"])]
    p12: String,
    #[command(flatten)]
    password: PasswordFrom,
}

impl Life {
    /// The last second that was asked for.
    pub fn not_after(&self, now: UnixTime) -> Option<UnixTime> {
        self.not_after.or_else(|| self.days.map(|days| now.plus(i64::from(days) * 86_400)))
    }
}

/// Runs it.
pub fn run(globals: &Globals, args: Args) -> Outcome {
    let context = Context::open(globals)?;
    let name = PartyName::parse(&args.party)?;
    let sites = args.sites.iter().map(|site| context.site(site)).collect::<Result<Vec<_>, _>>()?;
    if let Some(file) = &args.cert {
        let certificate = cert::read(file)?.swap_remove(0);
        return pin(globals, &context, &args, &name, &sites, &certificate);
    }
    if let (Some(subject), Some(ca)) = (&args.subject, &args.ca) {
        return by_subject(globals, &context, &name, &sites, subject, ca);
    }
    let profile = profile(&context, &args.profile)?;
    if globals.dry_run {
        globals.say(format!("would issue a `{}` certificate for {name}", args.profile));
        return Ok(Exit::Fine);
    }
    let wanted = Wanted {
        name: &name,
        label: args.label.clone(),
        profile,
        not_after: args.life.not_after(context.now),
        csr: args.csr.as_deref(),
        succeeds: None,
    };
    let known = context.run(context.registry.party(&name))?;
    let id = known.map_or_else(issue::new_uuid, |row| Ok(row.id))?;
    let made = Made::prepare(&args.output, &wanted)?.issue(&context, &wanted, id)?;
    grant(&context, &name, &sites)?;
    made.report(globals, &context, &name, &sites);
    Ok(Exit::Fine)
}

/// The profile of this name, or a failure that names those that are known.
pub fn profile(context: &Context, name: &str) -> Result<Choice, Failure> {
    let own = &context.settings.profiles;
    Choice::named(name, own).ok_or_else(|| {
        let built_in = BUILT_IN.iter().map(|one| one.word());
        let known: Vec<&str> = built_in.chain(own.keys().map(String::as_str)).collect();
        let help = match did_you_mean(name, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the profiles are: {}", known.join(", ")),
        };
        Failure::usage(format!("there is no profile `{}`", name.escape_debug()), help)
    })
}

/// Grants all sites, and waits until the running gates know of it and of what was put on record before, but not for long.
pub fn grant(context: &Context, name: &PartyName, sites: &[HostName]) -> Result<(), Failure> {
    for site in sites {
        context.run(context.registry.grant(name, site, &context.actor, context.now))?;
    }
    // What was done is done, and is told even if this cannot be read.
    let _ = Effect::before(context).and_then(|before| before.wait(context));
    Ok(())
}

/// Where the party may enter now that these were granted: by its grants, and by the lists in the configuration.
fn entering(context: &Context, name: &PartyName, granted: &[HostName]) -> String {
    // What was done is done, and is told even if this cannot be read again.
    let known = context.run(context.registry.party(name)).ok().flatten();
    let names = |principals: &[Principal]| {
        principals.iter().any(|principal| match principal {
            Principal::Party(party) => party == name.as_str(),
            Principal::Group(group) => {
                let members = context.settings.groups.get(group);
                members.is_some_and(|members| members.iter().any(|member| member == name.as_str()))
            }
            Principal::Ca(_) => false,
        })
    };
    let enters = context.settings.sites.iter().filter(|(site, settings)| {
        let grant =
            granted.contains(site) || known.as_ref().is_some_and(|party| party.grants.contains(*site));
        (grant || names(&settings.allow)) && !names(&settings.deny)
    });
    let all: Vec<&str> = enters.map(|(site, _)| site.as_str()).collect();
    if all.is_empty() {
        "enters no site yet (countersign party grant)".into()
    } else {
        format!("may enter {}", all.join(", "))
    }
}

fn pin(
    globals: &Globals,
    context: &Context,
    args: &Args,
    name: &PartyName,
    sites: &[HostName],
    certificate: &Certificate,
) -> Outcome {
    let exceptions = PinExceptions {
        without_client_usage_until: args.accept_without_client_usage_until,
        ca_certificate_until: args.accept_ca_certificate_until,
    };
    pinnable(certificate, &exceptions, context.now)?;
    let by_key = match args.pin.as_deref() {
        Some(pin) => pin == "key",
        None => {
            return Err(Failure::usage(
                "--pin is missing",
                "--pin cert (this certificate), or --pin key (also its renewals with the same key)",
            ));
        }
    };
    if globals.dry_run {
        globals.say(format!("would pin {} for {name}", certificate.thumbprint));
        return Ok(Exit::Fine);
    }
    save_pin(context, name, args.label.clone(), certificate, by_key, exceptions)?;
    grant(context, name, sites)?;
    let way = if by_key { "key" } else { "certificate" };
    globals.print(
        &json!({
            "party": name,
            "thumbprint": certificate.thumbprint,
            "serial": certificate.serial_hex(),
            "not_after": certificate.not_after,
            "key_pin": certificate.key_pin,
            "pin": if by_key { "key" } else { "cert" },
            "sites": sites,
            "files": [],
            "password": null,
        }),
        format!(
            "{name}: the {way} of {} is pinned; {name} {}",
            certificate.subject,
            entering(context, name, sites)
        ),
    );
    Ok(Exit::Fine)
}

/// Puts a pin on record, with its party.
pub fn save_pin(
    context: &Context,
    name: &PartyName,
    label: Option<String>,
    certificate: &Certificate,
    by_key: bool,
    exceptions: PinExceptions,
) -> Result<(), Failure> {
    let (registry, actor, now) = (&context.registry, &context.actor, context.now);
    if by_key {
        return context.run(registry.add_key_pin(name, label, certificate, exceptions, actor, now));
    }
    let new = registry::NewCertificate {
        holder: Holder::Party(name.clone()),
        label,
        der: certificate.der.to_vec(),
        origin: Origin::Pinned,
        profile: "pinned".into(),
        exceptions,
    };
    let known = context.run(registry.party(name))?;
    let id = known.map_or_else(issue::new_uuid, |row| Ok(row.id))?;
    context.run(registry.add_first_certificate(&id, new, actor, now)).map(|_| ())
}

/// Whether this certificate could enter once it is pinned.
pub fn pinnable(certificate: &Certificate, exceptions: &PinExceptions, now: UnixTime) -> Result<(), Failure> {
    if let Some(found) = examiner::key_flaw(&certificate.spki) {
        return Err(Failure::no(
            format!("its key is too weak: {found}"),
            "ask for a certificate with a new key",
        ));
    }
    if certificate.not_after < now {
        return Err(Failure::no(format!("it expired at {}", certificate.not_after), "ask for a current one"));
    }
    if !certificate.has_client_usage() && exceptions.without_client_usage_until.is_none() {
        return Err(Failure::no(
            "it is not meant for TLS Web Client Authentication (1.3.6.1.5.5.7.3.2)",
            "ask its issuer for one that is, or excuse it with --accept-without-client-usage-until DATE",
        ));
    }
    if certificate.is_ca && exceptions.ca_certificate_until.is_none() {
        return Err(Failure::no(
            "it is a CA's certificate",
            "excuse it with --accept-ca-certificate-until DATE",
        ));
    }
    Ok(())
}

fn by_subject(
    globals: &Globals,
    context: &Context,
    name: &PartyName,
    sites: &[HostName],
    subject: &str,
    ca: &str,
) -> Outcome {
    let subject = Name::parse_rfc4514(subject)
        .map_err(|error| Failure::usage(error.to_string(), "write it like O=Lab,CN=svc-1"))?;
    if !context.settings.cas.contains_key(ca) {
        return Err(Failure::not_found(format!("there is no CA `{ca}`"), "add it with `countersign ca add`"));
    }
    if globals.dry_run {
        globals.say(format!("would let {subject} of {ca} enter as {name}"));
        return Ok(Exit::Fine);
    }
    let (registry, actor, now) = (&context.registry, &context.actor, context.now);
    context.run(registry.add_subject_rule(name, ca, &subject, actor, now))?;
    grant(context, name, sites)?;
    let value = json!({ "party": name, "subject": subject.to_string(), "ca": ca, "sites": sites, "files": [], "password": null });
    globals
        .print(&value, format!("{subject} of CA {ca} is {name}; {name} {}", entering(context, name, sites)));
    Ok(Exit::Fine)
}

/// A certificate to be issued to a party.
pub struct Wanted<'a> {
    /// The party.
    pub name: &'a PartyName,
    /// What it calls the certificate.
    pub label: Option<String>,
    /// What it is for.
    pub profile: Choice,
    /// Its last second.
    pub not_after: Option<UnixTime>,
    /// A request whose key it is for; otherwise a key is made.
    pub csr: Option<&'a Path>,
    /// The certificate before it, whose files make room for it.
    pub succeeds: Option<&'a CertificateRow>,
}

/// An issued certificate and its files; before `issue` only the files' places and the key.
pub struct Made {
    files: Files,
    key: Option<PrivateKey>,
    spki: Vec<u8>,
    pem: bool,
    p12: pkcs12::Profile,
    password: Option<pkcs12::Password>,
    /// Whether the password was made here, and so is shown.
    is_generated: bool,
    issued: Option<authority::Issued>,
    written: Vec<PathBuf>,
    moved: Vec<PathBuf>,
}

impl Made {
    /// Everything that can fail before something is signed.
    pub fn prepare(output: &Output, wanted: &Wanted<'_>) -> Result<Self, Failure> {
        let (key, spki) = match wanted.csr {
            Some(file) => (None, authority::csr::read(&cert::read_bytes(file)?)?.into_spki()),
            None => {
                let key = authority::keys::generate(output.key_type)?;
                let spki = key.spki()?;
                (Some(key), spki)
            }
        };
        let p12 = issue::p12_profile(&output.p12);
        let password = key.is_some().then(|| output.password.read(p12)).transpose()?;
        let name = wanted.name.as_str();
        let files = match wanted.succeeds {
            Some(old) => Files::of_successor(&output.out, name, old)?,
            None => Files::at(&output.out, name, wanted.label.as_deref())?,
        };
        Ok(Self {
            // Who has the key in a file of its own has the next one there too.
            pem: output.pem || wanted.succeeds.is_some() && files.has_key(),
            files,
            key,
            spki,
            p12,
            password,
            is_generated: !output.password.is_chosen(),
            issued: None,
            written: Vec::new(),
            moved: Vec::new(),
        })
    }

    /// Issues the certificate to the party with this identifier, and writes the files.
    pub fn issue(mut self, context: &Context, wanted: &Wanted<'_>, id: String) -> Result<Self, Failure> {
        let order = issue::Order {
            holder: Holder::Party(wanted.name.clone()),
            id,
            label: wanted.label.clone(),
            profile: wanted.profile.clone(),
            spki: self.spki.clone(),
            alt_names: Vec::new(),
            not_after: wanted.not_after,
        };
        let issued = issue::issue(context, order)?;
        if wanted.succeeds.is_some() {
            // Not before: nothing is moved for a successor that there is not.
            self.moved = self.files.set_aside()?;
        }
        if self.pem || self.key.is_none() {
            self.written.push(self.files.write_certificate(&issued)?);
        }
        if let Some(key) = &self.key {
            if self.pem {
                self.written.push(self.files.write_key(key)?);
            }
            if let Some(password) = &self.password {
                let name = wanted.name.as_str();
                self.written.push(self.files.write_p12(name, key, &issued, self.p12, password)?);
            }
        }
        self.issued = Some(issued);
        Ok(self)
    }

    /// Says what exists now and where.
    pub fn report(&self, globals: &Globals, context: &Context, name: &PartyName, sites: &[HostName]) {
        let Some(issued) = &self.issued else { return };
        let password = self.password.as_ref().filter(|_| self.is_generated).map(pkcs12::Password::expose);
        let entering = entering(context, name, sites);
        let mut text = format!("{name}: a certificate until {}; {name} {entering}\n", issued.not_after);
        for file in &self.written {
            text += &format!("  {}\n", file.display());
        }
        for file in &self.moved {
            text += &format!("  {}  what stood there before\n", file.display());
        }
        if let Some(password) = password {
            text += &format!("  password of the .p12 file, shown this once: {password}\n");
        }
        globals.print(
            &json!({
                "party": name,
                "thumbprint": issued.thumbprint,
                "serial": issued.serial_hex,
                "not_after": issued.not_after,
                "files": self.written,
                "moved": self.moved,
                "password": password,
                "sites": sites,
            }),
            text,
        );
    }
}
