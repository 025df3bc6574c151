//! The live page on 127.0.0.1: the page, its data, and what the reader changes. Nothing else is served, to nobody else.

use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr};

use cnn_ir::diag::Diagnostic;
use serde::Serialize;
use tiny_http::{Header, Method, Request, Response, Server};

use crate::ExplainError;
use crate::page::TEMPLATE;

/// The longest body read: a 1024 × 1024 image of three channels in f32, and any model file.
const LONGEST: usize = 16 << 20;

/// What the live page is served from: the network as the reader has changed it.
pub trait Desk {
    /// The network as it is, packed for the page.
    ///
    /// # Errors
    /// What is wrong with it.
    fn now(&mut self) -> Result<Vec<u8>, Refusal>;

    /// The first input's image, row-major in its layout: all of it, whatever the page keeps.
    fn image(&self) -> Vec<f32>;

    /// Takes another text, and gives the network that it declares, packed.
    ///
    /// # Errors
    /// What is wrong with the text; then the network stays as it was.
    fn rewrite(&mut self, text: &str) -> Result<Vec<u8>, Refusal>;

    /// Takes another image for the first input, row-major in its layout, and gives the network at work on it, packed.
    ///
    /// # Errors
    /// If the image does not fit.
    fn show(&mut self, image: Vec<f32>) -> Result<Vec<u8>, Refusal>;

    /// What the compiled network answers to another image for the first input: all elements of each output.
    ///
    /// # Errors
    /// If the image does not fit.
    fn answer(&mut self, image: &[f32]) -> Result<Vec<Vec<f32>>, Refusal>;
}

/// Why a change is not taken.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Refusal {
    /// Everything that is wrong.
    pub problems: Vec<Problem>,
}

/// One thing that is wrong with a network's text.
#[derive(Clone, Debug, Serialize)]
pub struct Problem {
    /// What is wrong.
    pub message: String,
    /// Where, in bytes of the text: from, to.
    pub span: Option<[usize; 2]>,
    /// What is the matter there.
    pub label: String,
    /// Advice and arithmetic.
    pub notes: Vec<String>,
}

impl Refusal {
    /// Of a text.
    pub fn diagnostics(diagnostics: &[Diagnostic]) -> Refusal {
        let problem = |one: &Diagnostic| Problem {
            message: one.message.clone(),
            span: one.primary.as_ref().map(|label| [label.span.start, label.span.end]),
            label: one.primary.as_ref().map_or(String::new(), |label| label.text.clone()),
            notes: one.notes.clone(),
        };
        Refusal {
            problems: diagnostics.iter().map(problem).collect(),
        }
    }

    /// Of anything else.
    pub fn message(message: impl std::fmt::Display) -> Refusal {
        Refusal {
            problems: vec![Problem {
                message: message.to_string(),
                span: None,
                label: String::new(),
                notes: Vec::new(),
            }],
        }
    }
}

/// A server that is bound, not yet serving.
pub struct Served {
    server: Server,
    port: u16,
}

impl std::fmt::Debug for Served {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Served(127.0.0.1:{})", self.port)
    }
}

/// What a request is answered with.
struct Answer {
    status: u16,
    kind: &'static str,
    body: Vec<u8>,
}

impl Served {
    /// Binds a port of 127.0.0.1; a free one for 0.
    ///
    /// # Errors
    /// [`ExplainError::Serve`] if the port is taken or not allowed.
    pub fn bind(port: u16) -> Result<Served, ExplainError> {
        let refused = |problem: String| ExplainError::Serve { port, problem };
        let server = Server::http((Ipv4Addr::LOCALHOST, port)).map_err(|error| refused(error.to_string()))?;
        let bound = server.server_addr().to_ip().map(|address| SocketAddr::port(&address));
        Ok(Served {
            port: bound.ok_or_else(|| refused("it is not an IP address".into()))?,
            server,
        })
    }

    /// Where the page is.
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Serves until the process ends, one request after the other.
    pub fn run(self, desk: &mut dyn Desk) {
        for mut request in self.server.incoming_requests() {
            let answer = self.answer(&mut request, desk);
            let headers = [
                ("Content-Type", answer.kind),
                ("Cache-Control", "no-store"),
                ("X-Content-Type-Options", "nosniff"),
                ("Cross-Origin-Resource-Policy", "same-origin"),
                ("X-Frame-Options", "DENY"),
            ];
            let headers = headers
                .iter()
                .filter_map(|(name, value)| Header::from_bytes(*name, *value).ok());
            let mut response = Response::from_data(answer.body).with_status_code(answer.status);
            headers.for_each(|header| response.add_header(header));
            // A reader who left is not missed.
            let _ = request.respond(response);
        }
    }

    fn answer(&self, request: &mut Request, desk: &mut dyn Desk) -> Answer {
        if !self.is_own(request) {
            return text(403, "this server answers its own page only");
        }
        let path = request.url().split('?').next().unwrap_or_default().to_owned();
        match (request.method(), &*path) {
            (Method::Get, "/") => Answer {
                status: 200,
                kind: "text/html; charset=utf-8",
                body: TEMPLATE.as_bytes().to_vec(),
            },
            (Method::Get, "/data") => packed(desk.now()),
            (Method::Get, "/image") => binary(desk.image().iter().flat_map(|x| x.to_le_bytes()).collect()),
            (Method::Post, "/text" | "/image" | "/answer") => match body(request) {
                Ok(body) => change(&path, body, desk),
                Err(answer) => answer,
            },
            (_, "/" | "/data" | "/text" | "/image" | "/answer") => text(405, "not that way"),
            _ => text(404, "there is nothing here"),
        }
    }

    /// Whether a request comes from this server's page, or from someone who types its address: other pages of the browser,
    /// and other names that lead to this machine, get nothing.
    fn is_own(&self, request: &Request) -> bool {
        let value = |name: &'static str| {
            let mut all = request.headers().iter().filter(|header| header.field.equiv(name));
            all.next().map(|header| header.value.as_str())
        };
        let hosts = [format!("127.0.0.1:{}", self.port), format!("localhost:{}", self.port)];
        let own_host = value("Host").is_some_and(|host| hosts.iter().any(|own| own == host));
        let own_origin = match value("Origin") {
            Some(origin) => hosts.iter().any(|own| origin.strip_prefix("http://") == Some(own)),
            // Browsers name the origin of every POST.
            None => *request.method() == Method::Get,
        };
        let own_site = value("Sec-Fetch-Site").is_none_or(|site| matches!(site, "same-origin" | "none"));
        own_host && own_origin && own_site
    }
}

fn text(status: u16, text: &str) -> Answer {
    Answer {
        status,
        kind: "text/plain; charset=utf-8",
        body: text.as_bytes().to_vec(),
    }
}

fn body(request: &mut Request) -> Result<Vec<u8>, Answer> {
    let too_long = || text(413, "that is too long");
    if request.body_length().is_some_and(|length| length > LONGEST) {
        return Err(too_long());
    }
    let mut body = Vec::new();
    let mut reader = request.as_reader().take(LONGEST as u64 + 1);
    match reader.read_to_end(&mut body) {
        Err(_) => Err(text(400, "the request broke off")),
        Ok(_) if body.len() > LONGEST => Err(too_long()),
        Ok(_) => Ok(body),
    }
}

fn change(path: &str, body: Vec<u8>, desk: &mut dyn Desk) -> Answer {
    if path == "/text" {
        return match String::from_utf8(body) {
            Ok(text) => packed(desk.rewrite(&text)),
            Err(_) => text(400, "that is not text"),
        };
    }
    if !body.len().is_multiple_of(4) {
        return text(400, "an image is a list of f32");
    }
    let floats = body.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes));
    let image: Vec<f32> = floats.collect();
    match path {
        "/image" => packed(desk.show(image)),
        _ => match desk.answer(&image) {
            Ok(outputs) => json(200, &outputs),
            Err(refusal) => json(422, &refusal),
        },
    }
}

fn packed(result: Result<Vec<u8>, Refusal>) -> Answer {
    match result {
        Ok(body) => binary(body),
        Err(refusal) => json(422, &refusal),
    }
}

fn binary(body: Vec<u8>) -> Answer {
    Answer {
        status: 200,
        kind: "application/octet-stream",
        body,
    }
}

fn json(status: u16, value: &impl Serialize) -> Answer {
    match serde_json::to_vec(value) {
        Ok(body) => Answer {
            status,
            kind: "application/json",
            body,
        },
        Err(error) => text(500, &error.to_string()),
    }
}
