//! One question to one address: asked, and what came read.

use data_encoding::BASE64;
use examiner::chain::Examinee;
use examiner::input;
use examiner::side::{Asked, Came, Form, GivenCrl, Method, OcspResponse, Sought};
use examiner::{Thumbprint, path::crl};

use crate::fetch::{self, FetchError, FetchUrl, Rules};

/// Bytes that certificates may have.
const MOST_CERTIFICATES: u64 = 256 << 10;
/// Bytes that an OCSP response may have.
const MOST_RESPONSE: u64 = 64 << 10;
/// Bytes that a revocation list may have.
const MOST_LIST: u64 = 16 << 20;
/// A GET address of OCSP has fewer characters than this, else the request is posted (RFC 5019 section 5).
const LONGEST_GET: usize = 255;
const REQUEST_TYPE: &str = "application/ocsp-request";

/// A question to an address, for one certificate.
pub struct Question {
    about: Thumbprint,
    sought: Sought,
    /// The address, as the certificate has it.
    pub url: String,
    /// The OCSP request.
    pub request: Option<Vec<u8>>,
}

/// What came.
pub struct Answer {
    /// The question and its answer, for the report.
    pub asked: Asked,
    /// The list.
    pub list: Option<GivenCrl>,
    /// The response.
    pub response: Option<OcspResponse>,
}

impl Answer {
    /// Nothing but what the report says.
    pub fn of(asked: Asked) -> Self {
        Self { asked, list: None, response: None }
    }
}

impl Question {
    /// A question for this certificate.
    pub fn new(about: &Examinee, sought: Sought, url: String, request: Option<Vec<u8>>) -> Self {
        Self { about: about.thumbprint, sought, url, request }
    }

    /// The question with what came of it by GET.
    pub fn told(&self, came: Result<Came, String>) -> Asked {
        self.told_by(Method::Get, came)
    }

    fn told_by(&self, method: Method, came: Result<Came, String>) -> Asked {
        Asked { about: self.about, sought: self.sought, method, url: self.url.clone(), came }
    }

    /// Asks; more than one answer where OCSP was asked by GET in vain and then by POST.
    pub async fn ask(self, rules: Rules) -> Vec<Answer> {
        let url = match FetchUrl::parse(&self.url) {
            Ok(url) => url,
            Err(why) => return vec![Answer::of(self.told(Err(why)))],
        };
        match &self.request {
            Some(request) => self.responder(&url, request, &rules).await,
            None if self.sought == Sought::Issuer => vec![self.issuer(&url, rules).await],
            None => vec![self.list(&url, rules).await],
        }
    }

    async fn issuer(&self, url: &FetchUrl, rules: Rules) -> Answer {
        let bytes = fetch::get(url, &Rules { most_bytes: MOST_CERTIFICATES, ..rules }).await;
        Answer::of(self.told(bytes.map_err(|error| error.to_string()).and_then(|bytes| certificates(&bytes))))
    }

    async fn list(&self, url: &FetchUrl, rules: Rules) -> Answer {
        let bytes = fetch::get(url, &Rules { most_bytes: MOST_LIST, ..rules }).await;
        let read = bytes.map_err(|error| error.to_string()).and_then(|bytes| list(&bytes));
        let came = read.as_ref().map(|list| Came::RevocationList(list.size)).map_err(String::clone);
        Answer { list: read.ok(), ..Answer::of(self.told(came)) }
    }

    /// By GET where the address is short enough, as caches want it; by POST where it is not, or GET is not answered.
    async fn responder(&self, url: &FetchUrl, request: &[u8], rules: &Rules) -> Vec<Answer> {
        let rules = Rules { most_bytes: MOST_RESPONSE, ..rules.clone() };
        let begun = tokio::time::Instant::now();
        let mut answers = Vec::new();
        let short = url.below(&segment(request)).filter(|whole| whole.to_string().len() < LONGEST_GET);
        if let Some(whole) = short {
            let came = fetch::get(&whole, &rules).await;
            let again = came.as_ref().err().is_none_or(may_take_post);
            let answer = self.response(Method::Get, came);
            let is_answered = answer.response.is_some();
            answers.push(answer);
            if is_answered || !again {
                return answers;
            }
        }
        let rules = Rules { deadline: rules.deadline.saturating_sub(begun.elapsed()), ..rules };
        let came = fetch::post(url, &rules, REQUEST_TYPE, request.to_vec()).await;
        answers.push(self.response(Method::Post, came));
        answers
    }

    fn response(&self, method: Method, came: Result<Vec<u8>, FetchError>) -> Answer {
        let read = came
            .map_err(|error| error.to_string())
            .and_then(|bytes| OcspResponse::from_der(&bytes).map_err(|error| error.to_string()));
        let came = read.as_ref().map(|_| Came::OcspResponse).map_err(String::clone);
        Answer { response: read.ok(), ..Answer::of(self.told_by(method, came)) }
    }
}

/// Whether a server that failed so may answer a POST.
fn may_take_post(error: &FetchError) -> bool {
    matches!(error, FetchError::Status(_) | FetchError::Redirect(_) | FetchError::Exchange(_))
}

/// The request as one segment of a path (RFC 6960 appendix A.1): base 64, with what has a meaning in a URL escaped.
fn segment(request: &[u8]) -> String {
    BASE64.encode(request).replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
}

/// The certificates that an address gave; what is none of them is a fault.
fn certificates(bytes: &[u8]) -> Result<Came, String> {
    let input = input::read(bytes);
    let all: Vec<Examinee> = input
        .certificates
        .iter()
        .map(|der| Examinee::read(der.as_slice()))
        .filter(Examinee::is_certificate)
        .collect();
    let form = match (bytes.first(), input.certificates.as_slice()) {
        (Some(0x30), [one]) if one == bytes => Form::Der,
        (Some(0x30), _) => Form::Pkcs7,
        _ => Form::Pem,
    };
    match all.is_empty() {
        true => Err("what came is no certificate".into()),
        false => Ok(Came::Certificates { form, all }),
    }
}

fn list(bytes: &[u8]) -> Result<GivenCrl, String> {
    let fault = |error: crl::UnreadableCrl| match bytes.starts_with(b"-----BEGIN") {
        true => "it is PEM, and clients take DER alone".to_owned(),
        false => error.to_string(),
    };
    GivenCrl::from_der(bytes).map_err(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_one_segment_of_a_path() {
        assert_eq!(segment(&[0xfb, 0xff, 0xfe, 0x00]), "%2B%2F%2F%2BAA%3D%3D");
    }

    #[test]
    fn what_is_no_certificate_is_a_fault() {
        for bytes in [&b""[..], b"<html>", &[0x30, 0x03, 0x02, 0x01, 0x00], &[0x30, 0x80]] {
            assert!(certificates(bytes).is_err(), "{bytes:?}");
        }
        assert!(list(b"-----BEGIN X509 CRL-----").unwrap_err().contains("PEM"));
        assert!(list(b"").is_err());
    }
}
