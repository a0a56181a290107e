//! The answers of the gate that are no refusals by policy: their codes, and what they mean.

/// A code that an answer of the gate can have beside those of [`policy::Code`].
pub struct Other {
    /// The code.
    pub code: &'static str,
    /// The HTTP statuses it comes with.
    pub statuses: &'static [u16],
    /// What happened.
    pub title: &'static str,
    /// What to do.
    pub help: &'static str,
}

/// All of them.
pub const OTHERS: [Other; 10] = [
    Other {
        code: "bad-request",
        statuses: &[400, 405, 413, 431, 501],
        title: "The request cannot be read in one way only, or it is larger than the site allows",
        help: "Look at the answer's `detail`. `max_body` and `[limits]` set the sizes.",
    },
    Other {
        code: "cross-site",
        statuses: &[403],
        title: "A page of another site sent an unsafe request with the visitor's certificate",
        help: "If that page is yours, list its origin in the site's `cors_origins`.",
    },
    Other {
        code: "too-many-requests",
        statuses: &[429],
        title: "The party, or its address, sent more requests than the site's `rate_limit` lets on",
        help: "Wait for the seconds of `Retry-After`, or raise `rate_limit`.",
    },
    Other {
        code: "not-found",
        statuses: &[404],
        title: "There is nothing under this path of the admin address",
        help: "Look at the path.",
    },
    Other {
        code: "renewal-refused",
        statuses: &[400, 403, 422, 429, 503],
        title: "The authority does not renew the certificate that was shown, or not now",
        help: "Look at the answer's `detail`. `countersign party add` issues another certificate.",
    },
    Other {
        code: "enrolment-refused",
        statuses: &[400, 401, 403, 409, 415, 422, 429, 503],
        title: "No certificate is issued for what was brought to the enrolment address, or not now",
        help: "Look at the answer's `detail`. `countersign party invite` makes another invite.",
    },
    Other {
        code: "code-wanted",
        statuses: &[403],
        title: "The invite asks for a code that its maker tells by another way",
        help: "Ask who invited for the six digits.",
    },
    Other {
        code: "code-wrong",
        statuses: &[403],
        title: "The code is not that of the invite",
        help: "Give the six digits that `countersign party invite` showed. Five wrong ones close an invite.",
    },
    Other {
        code: "upstream-unreachable",
        statuses: &[502],
        title: "The website behind the gate gave no answer",
        help: "See whether it runs where the site's `upstream` says. The program's log has the reason.",
    },
    Other {
        code: "upstream-timeout",
        statuses: &[504],
        title: "The website behind the gate did not answer in time",
        help: "See why it is slow. `upstream_connect_seconds` and `upstream_first_byte_seconds` set how long the gate waits.",
    },
];
