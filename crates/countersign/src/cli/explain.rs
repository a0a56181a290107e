//! `explain`: what a code means, and whether a certificate would be admitted.

use std::path::Path;
use std::sync::Arc;

use examiner::profile::Profile;
use examiner::report::Severity;
use examiner::{Certificate, checks, input};
use gateway::pages;
use gateway::pages::Lang;
use gateway::pages::others::OTHERS;
use policy::{Code, Decision, HostName, Moment, NormalPath, Peer};
use rustls_pki_types::CertificateDer;
use serde_json::{Value, json};

use super::context::Context;
use super::ladder::Ladder;
use super::{Exit, Failure, Globals, Outcome, cert, log};
use crate::config::problem::did_you_mean;

/// `countersign explain`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  countersign explain chain-incomplete
  countersign explain expired --json
  countersign explain 7F3K-22
  countersign explain alice.pem --site portal.example.com")]
pub struct Args {
    /// A refusal code, the id of a finding, the reference of a refusal, or a certificate file.
    what: String,
    /// The site that the certificate would be shown to.
    #[arg(long, value_name = "HOST")]
    site: Option<String>,
    /// The path that would be asked for.
    #[arg(long, default_value = "/", requires = "site")]
    path: String,
}

/// Runs it.
pub fn command(globals: &Globals, args: Args) -> Exit {
    globals.end(match (&args.site, Code::parse(&args.what)) {
        (None, Some(code)) => code_meaning(globals, code, finding(&args.what)),
        (Some(site), _) => test(globals, site, Some(Path::new(&args.what)), &args.path, false),
        (None, None) if Path::new(&args.what).exists() => {
            Err(Failure::usage("--site is missing", format!("countersign explain {} --site HOST", args.what)))
        }
        (None, None) if other_meaning(globals, &args.what) => Ok(Exit::Fine),
        (None, None) if gateway::is_reference(&args.what) => log::explain(globals, args.what),
        (None, None) => {
            if let Some((value, text)) = finding(&args.what).or_else(|| left_out(&args.what)) {
                globals.print(&value, text);
                return Exit::Fine;
            }
            let known = Code::ALL.map(Code::as_str);
            let ids = checks::all().map(|check| check.id).chain(input::ALL.iter().map(|about| about.id));
            let others = OTHERS.iter().map(|other| other.code);
            let near = did_you_mean(&args.what, known.into_iter().chain(others).chain(ids));
            let help = near.map_or_else(
                || {
                    format!(
                        "the codes of refusals are: {}; the ids of findings stand in a report",
                        known.join(", ")
                    )
                },
                |near| format!("did you mean `{near}`?"),
            );
            Err(Failure::not_found(
                format!("`{}` is no code, no reference and no file", args.what.escape_debug()),
                help,
            ))
        }
    })
}

/// What the id of a finding means, as JSON and as text; `None` where it is none.
fn finding(id: &str) -> Option<(Value, String)> {
    let (value, severity, about) = if let Some(check) = checks::named(id) {
        let severities: Vec<_> = Profile::ALL
            .into_iter()
            .filter_map(|profile| Some((profile, check.severity.under(profile)?)))
            .collect();
        let said =
            severities.iter().map(|(profile, severity)| format!("{} under {profile}", word(*severity)));
        let by_profile: serde_json::Map<_, _> =
            severities.iter().map(|(profile, severity)| (profile.to_string(), json!(severity))).collect();
        let about = (check.clause, check.expected, check.affected, check.remedy);
        (json!(by_profile), said.collect::<Vec<_>>().join(", "), about)
    } else if let Some(about) = input::ALL.iter().find(|about| about.id == id) {
        let texts = (about.clause, about.expected, about.affected, about.remedy);
        (json!({ "file": about.severity }), word(about.severity).to_owned(), texts)
    } else {
        return None;
    };
    let (clause, expected, affected, remedy) = about;
    Some((
        json!({
            "id": id,
            "severity": value,
            "clause": clause,
            "expected": expected,
            "affected": affected,
            "remedy": remedy,
        }),
        format!(
            "{id} (a finding: {severity})\n  expected  {expected}\n  rule      {clause}\n  affects   {affected}\n  remedy    {remedy}"
        ),
    ))
}

/// Why a check of the catalogue is not made.
fn left_out(id: &str) -> Option<(Value, String)> {
    let why = checks::left_out::LEFT_OUT.iter().find(|one| one.id == id)?.why.to_string();
    Some((json!({ "id": id, "left_out": why }), format!("{id} (no check of ours)\n  why       {why}")))
}

/// Explains the code of an answer that is no refusal by policy; false where it is none.
fn other_meaning(globals: &Globals, code: &str) -> bool {
    let Some(other) = OTHERS.iter().find(|other| other.code == code) else { return false };
    let statuses = other.statuses.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
    let value =
        json!({ "code": code, "statuses": other.statuses, "title": other.title, "next_step": other.help });
    globals.print(&value, format!("{code} (HTTP {statuses})\n  {}.\n  {}", other.title, other.help));
    true
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "an error",
        Severity::Warning => "a warning",
        Severity::Notice => "a notice",
    }
}

/// What a refusal means; what the check means by the same word stands below it.
fn code_meaning(globals: &Globals, code: Code, finding: Option<(Value, String)>) -> Outcome {
    let words = pages::code_text(globals.lang(), code);
    let alert = code.alert().map_or("HTTP 421".to_owned(), |number| format!("TLS alert {number}"));
    let (meant_by_check, below) =
        finding.map_or((Value::Null, String::new()), |(value, text)| (value, format!("\n\n{text}")));
    globals.print(
        &json!({
            "finding": meant_by_check,
            "code": code,
            "alert": code.alert(),
            "title": words.title,
            "detail": words.detail,
            "next": words.next,
        }),
        format!(
            "{code} (a refusal: {alert})\n  {}\n  {}\n  {}{below}",
            words.title, words.detail, words.next
        ),
    );
    Ok(Exit::Fine)
}

/// Whether a certificate would be admitted to a site now; the gate's own decision, key possession taken for granted.
/// `reaching`: also whether the site's upstreams can be reached.
pub fn test(globals: &Globals, site: &str, file: Option<&Path>, path: &str, reaching: bool) -> Outcome {
    let context = Context::open(globals)?;
    let name = context.site(site)?;
    let shown = file.map(cert::read).transpose()?;
    let decided = Decided::of(&context, &name, shown, path, globals.lang())?;
    let (mut value, ladder) = (decided.value.clone(), &decided.ladder);
    let mut text = decided.text.clone();
    if reaching {
        let settings = &context.settings.sites[&name];
        let reached = super::context::runtime()?.block_on(crate::doctor::reach(settings));
        let view = |(upstream, reached): &(String, Result<&str, String>)| json!({ "upstream": upstream, "speaks": reached.as_ref().ok(), "error": reached.as_ref().err() });
        value["upstreams"] = reached.iter().map(view).collect();
        for (upstream, reached) in &reached {
            match reached {
                Ok(speaks) if globals.verbose => {
                    text += &format!("\nupstream {upstream}: reachable, {speaks}")
                }
                Ok(_) => {}
                Err(why) => text += &format!("\nupstream {upstream}: not usable: {why}"),
            }
        }
    }
    globals.print(&value, if globals.verbose { ladder.text() + &text } else { text });
    Ok(if decided.passes { Exit::Fine } else { Exit::No })
}

/// The gate's own decision about a certificate at a site, key possession taken for granted.
pub struct Decided {
    /// The verdict, what leads to it, and the five steps, as JSON.
    pub value: Value,
    /// The five steps.
    pub ladder: Ladder,
    /// The same in words.
    pub text: String,
    /// Whether the request would pass.
    pub passes: bool,
}

impl Decided {
    /// Decides about this chain, its end-entity certificate first; `None`: no certificate is shown.
    ///
    /// # Errors
    ///
    /// No such site; a path that is none; the registry cannot be read.
    pub fn of(
        context: &Context,
        name: &HostName,
        shown: Option<Vec<Certificate>>,
        path: &str,
        lang: Lang,
    ) -> Result<Self, Failure> {
        let cas = context.settings.cas.keys().map(String::as_str);
        let about = shown.as_ref().and_then(|chain| chain.first());
        let records = context.run(context.registry.records_about(about, cas))?;
        let snapshot = context.settings.snapshot(records, 0);
        let Some(site) = snapshot.site(name) else {
            return Err(Failure::not_found(format!("there is no site `{name}`"), ""));
        };
        let asked = path;
        let path = NormalPath::parse(path)
            .map_err(|error| Failure::usage(error.to_string(), "write it like /health"))?;
        let rule =
            site.rule(&path).map_err(|error| Failure::usage(error.to_string(), "leave the `;` out"))?;
        let peer = match shown {
            None => None,
            Some(shown) => {
                let chain: Vec<CertificateDer<'static>> =
                    shown.iter().map(|one| CertificateDer::from(one.der.to_vec())).collect();
                Peer::identify(Arc::from(chain), &site.anchors, context.now)
            }
        };
        let decision = policy::decide(&snapshot, site, rule, peer.as_ref(), Moment::at(context.now));
        let (verdict, passes) = match &decision {
            Decision::Admit(_) => ("admitted", true),
            Decision::Open => ("open", true),
            Decision::Observe(_) => ("observed", false),
            Decision::Refuse(_) => ("refused", false),
        };
        let (mut value, text) = match &decision {
            Decision::Admit(grant) => (
                json!({ "party": grant.identity.id(), "way": grant.way.as_str(), "rule": grant.rule, "until": grant.until }),
                format!(
                    "admitted as {} by {}, allowed by {}, until {}",
                    grant.identity.id(),
                    grant.way.as_str(),
                    grant.rule,
                    grant.until
                ),
            ),
            Decision::Open => (json!({}), "this path is open: anyone passes, without identity".to_owned()),
            Decision::Observe(refusal) | Decision::Refuse(refusal) => {
                let words = pages::text(lang, &refusal.why);
                (
                    json!({
                        "code": refusal.code(),
                        "title": words.title,
                        "detail": words.detail,
                        "next": words.next,
                    }),
                    format!(
                        "{verdict}: {}\n  {}\n  {}\n  {}",
                        refusal.code(),
                        words.title,
                        words.detail,
                        words.next
                    ),
                )
            }
        };
        let subject =
            peer.as_ref().and_then(|peer| peer.certificate.as_ref().ok()).map(|c| c.subject.to_string());
        let ladder = Ladder::of(&decision, name.as_str(), asked, subject.as_deref());
        value["site"] = json!(name);
        value["verdict"] = json!(verdict);
        value["steps"] = ladder.value();
        Ok(Self { value, ladder, text, passes })
    }
}
