//! The acceptance scenarios, one a file: the real binary against real curl and openssl, judged by what the upstream saw.

mod a01_from_nothing;
mod a02_no_certificate_gets_a_page;
mod a03_no_certificate_gets_an_alert;
mod a04_right_issuer_not_on_the_list;
mod a05_pkcs12;
mod a07_dates;
mod a08_usage;
mod a09_namesake_of_our_ca;
mod a10_another_key;
mod a11_pin_by_thumbprint;
mod a12_pin_by_key;
mod a13_issuer_rules;
mod a14_ca_of_one_site_only;
mod a15_renewal_with_overlap;
mod a16_revocation;
mod a19_no_spoofing;
mod a20_host_mismatch;
mod a26_the_log_is_whole;
mod a27_a_mistyped_key;
mod a28_manners;
mod a30_no_udp;
mod every_refusal_code;
mod never_open_by_accident;
mod path_rules;
mod sni_and_hosts;
mod support;
