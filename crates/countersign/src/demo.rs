//! The demonstration website behind a quickstart: one page that says who came in.

use std::net::{Ipv4Addr, SocketAddr};

use http::{Request, Response, header};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

/// Starts the website, on a free loopback port where no address is given, and returns its address. It ends with the
/// process.
pub async fn start_on(address: Option<SocketAddr>) -> std::io::Result<SocketAddr> {
    let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let listener = TcpListener::bind(address.unwrap_or(free)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let _ = hyper::server::conn::http1::Builder::new()
                    .timer(TokioTimer::new())
                    .serve_connection(TokioIo::new(stream), service_fn(answer))
                    .await;
            });
        }
    });
    Ok(address)
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, std::convert::Infallible> {
    let field = |name: &str| request.headers().get(name).and_then(|v| v.to_str().ok()).unwrap_or("");
    let party = escape(field("countersign-party"));
    let reference = escape(field("countersign-reference"));
    let path = escape(request.uri().path());
    let body = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Welcome, {party}</title>\
         <style>body{{font:1.1rem system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem;color-scheme:light dark}}\
         code{{background:#8882;padding:.1em .3em;border-radius:.2em}}</style></head><body>\n\
         <h1>Welcome, {party}.</h1>\n<p>This is the demonstration website behind the gate. Your certificate let you in; the \
         gate told this site so in the header <code>Countersign-Party: {party}</code>.</p>\n\
         <p>You asked for <code>{path}</code>. The log knows this visit as <code>{reference}</code>.</p>\n</body></html>\n"
    );
    let response = Response::builder()
        .header(header::CONTENT_TYPE, "text/html; charset=utf-8")
        .header(header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'")
        .body(Full::new(Bytes::from(body)));
    Ok(response.expect("the header values are constant"))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
