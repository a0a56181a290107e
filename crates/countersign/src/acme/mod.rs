//! A site's certificate, ordered from an ACME server (RFC 8555) by a process that ends: neither the gate nor the authority
//! speaks to the server, and the gate only reads what lies in the state directory.
//!
//! - [`kept`]: the files of each site: certificate with key, and how the last attempt went.
//! - [`jws`]: the account's key, and what is signed with it. [`client`]: one server, spoken to.
//! - [`order`]: from names to a certificate. [`answers`]: what the gate shows the CA meanwhile.
//! - [`renewal`]: when the next is due, by the server's word (RFC 9773) or by the certificate's life.
//! - [`staple`]: the OCSP response that goes along, where the certificate names who gives one.

pub mod answers;
pub mod client;
pub mod jws;
pub mod kept;
pub mod order;
pub mod renewal;
pub mod staple;
