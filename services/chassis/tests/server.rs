//! The port that all services share.
//!
//! Failures that count: callers without a token, too often, too slow; a stop in the middle of a call; a taken port; an
//! address that others reach. Failures that do not: a caller that floods the port below HTTP.
#![expect(clippy::unwrap_used, reason = "a test ends where its scene breaks")]

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use chassis::authn::{Authenticator, LocalIssuer};
use chassis::config::{Limits, Listen};
use chassis::names::NodeId;
use chassis::server::{Server, ServerError};
use http_body_util::StreamBody;
use hyper::body::Frame;
use proto::federation::federation_service_client::FederationServiceClient;
use proto::federation::{GetStatusRequest, GetStatusResponse};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Code, Request, Response, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt;

/// Stands in for the border: answers every call with an empty message, once it is let.
#[derive(Clone)]
struct Border {
    /// Told when a call has come in.
    came: Arc<Notify>,
    /// Lets one call go on; `None` answers at once.
    goes: Option<Arc<Notify>>,
}

impl tonic::server::NamedService for Border {
    const NAME: &'static str = "commonweal.federation.v1.FederationService";
}

impl tower::Service<http::Request<Body>> for Border {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: http::Request<Body>) -> Self::Future {
        let border = self.clone();
        Box::pin(async move {
            border.came.notify_one();
            if let Some(goes) = border.goes {
                goes.notified().await;
            }
            let trailers = http::HeaderMap::from_iter([("grpc-status".parse().unwrap(), "0".parse().unwrap())]);
            let frames = [Frame::data(bytes::Bytes::from_static(&[0; 5])), Frame::trailers(trailers)];
            let empty = StreamBody::new(tokio_stream::iter(frames.map(Ok::<_, Infallible>)));
            let response = http::Response::builder().header("content-type", "application/grpc");
            Ok(response.body(Body::new(empty)).unwrap())
        })
    }
}

struct Scene {
    address: SocketAddr,
    issuer: LocalIssuer,
    came: Arc<Notify>,
    stop: CancellationToken,
    serving: JoinHandle<Result<(), ServerError>>,
    _folder: TempDir,
}

fn here() -> Listen {
    Listen { grpc: SocketAddr::from(([127, 0, 0, 1], 0)), ..Listen::default() }
}

fn issuer(folder: &TempDir) -> LocalIssuer {
    LocalIssuer::open(folder.path(), &NodeId::of_key(&[1; 32])).unwrap()
}

async fn serve(listen: Listen, limits: Limits, goes: Option<Arc<Notify>>) -> Scene {
    let folder = TempDir::new().unwrap();
    let issuer = issuer(&folder);
    let came = Arc::new(Notify::new());
    let server = Server::new(&listen, &limits, Authenticator::local(&issuer, &[7; 32])).unwrap();
    let bound = server.add_service(Border { came: came.clone(), goes }).open().unwrap();
    let (address, stop) = (bound.address(), CancellationToken::new());
    let serving = tokio::spawn(bound.serve(stop.clone()));
    Scene { address, issuer, came, stop, serving, _folder: folder }
}

impl Scene {
    async fn channel(&self) -> Channel {
        Endpoint::from_shared(format!("http://{}", self.address)).unwrap().connect().await.unwrap()
    }

    fn request(&self, subject: &str) -> Request<GetStatusRequest> {
        let token = self.issuer.token(subject, &[], true, Duration::from_secs(60)).unwrap();
        let mut request = Request::new(GetStatusRequest::default());
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        request
    }

    async fn ask(&self, request: Request<GetStatusRequest>) -> Result<Response<GetStatusResponse>, Status> {
        FederationServiceClient::new(self.channel().await).get_status(request).await
    }

    /// A call as a browser makes it.
    fn web_call(&self, header: &str) -> String {
        let token = self.issuer.token("ana", &[], true, Duration::from_secs(60)).unwrap();
        format!(
            "POST /commonweal.federation.v1.FederationService/GetStatus HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\
             content-type: application/grpc-web+proto\r\nauthorization: Bearer {token}\r\n{header}\
             content-length: 5\r\n\r\n\0\0\0\0\0"
        )
    }

    /// Sends bytes over HTTP/1.1, and reads to the end.
    async fn say(&self, words: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(words).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }
}

async fn health(channel: &Channel, service: &str) -> Result<ServingStatus, Status> {
    let request = HealthCheckRequest { service: service.to_owned() };
    Ok(HealthClient::new(channel.clone()).check(request).await?.into_inner().status())
}

#[tokio::test]
async fn a_call_with_a_token_is_answered_and_one_without_is_told_why() {
    let scene = serve(here(), Limits::default(), None).await;
    scene.ask(scene.request("ana")).await.unwrap();
    let refused = scene.ask(Request::new(GetStatusRequest::default())).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    assert!(refused.message().contains("authorization: Bearer"), "{refused}");
    assert_eq!(refused.get_details_error_info().unwrap().reason, "TOKEN_MISSING");
}

#[tokio::test]
async fn health_and_reflection_are_open_to_anyone() {
    let scene = serve(here(), Limits::default(), None).await;
    let channel = scene.channel().await;
    let border = "commonweal.federation.v1.FederationService";
    assert_eq!(health(&channel, border).await.unwrap(), ServingStatus::Serving);
    assert_eq!(health(&channel, "").await.unwrap(), ServingStatus::Serving);
    assert_eq!(health(&channel, "commonweal.nothing.v1.Nothing").await.unwrap_err().code(), Code::NotFound);

    use tonic_reflection::pb::{v1, v1alpha};
    let ask = v1::server_reflection_request::MessageRequest::ListServices(String::new());
    let ask = v1::ServerReflectionRequest { host: String::new(), message_request: Some(ask) };
    let mut client = v1::server_reflection_client::ServerReflectionClient::new(channel.clone());
    let mut answers = client.server_reflection_info(tokio_stream::once(ask)).await.unwrap().into_inner();
    let answer = format!("{:?}", answers.message().await.unwrap());
    for service in [border, "commonweal.membership.v1.MembershipService", "grpc.health.v1.Health"] {
        assert!(answer.contains(service), "{service} in {answer}");
    }
    let ask = v1alpha::server_reflection_request::MessageRequest::FileContainingSymbol(border.to_owned());
    let ask = v1alpha::ServerReflectionRequest { host: String::new(), message_request: Some(ask) };
    let mut client = v1alpha::server_reflection_client::ServerReflectionClient::new(channel);
    let mut answers = client.server_reflection_info(tokio_stream::once(ask)).await.unwrap().into_inner();
    let answer = format!("{:?}", answers.message().await.unwrap());
    assert!(answer.contains("FileDescriptorResponse"), "{answer}");
}

#[tokio::test]
async fn browsers_and_prometheus_find_the_same_port() {
    let scene = serve(here(), Limits::default(), None).await;
    let answer = scene.say(scene.web_call("").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("application/grpc-web+proto"), "{answer}");
    assert!(answer.contains("grpc-status:0"), "{answer}");
    let page = scene.say(b"GET /metrics HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n").await;
    assert!(page.contains("commonweal_calls_seconds_count{") && page.contains("code=\"Ok\""), "{page}");
}

#[tokio::test]
async fn a_caller_that_calls_too_often_is_told_when_to_try_again() {
    let limits = Limits { calls_per_second: 1, burst: 2, ..Limits::default() };
    let scene = serve(here(), limits, None).await;
    scene.ask(scene.request("ana")).await.unwrap();
    scene.ask(scene.request("ana")).await.unwrap();
    let refused = scene.ask(scene.request("ana")).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    let wait = refused.get_details_retry_info().unwrap().retry_delay.unwrap();
    assert!(wait > Duration::ZERO && wait <= Duration::from_secs(1), "{wait:?}");
    scene.ask(scene.request("ben")).await.unwrap();
}

#[tokio::test]
async fn a_call_ends_when_its_time_is_over() {
    let never = Some(Arc::new(Notify::new()));
    let scene = serve(here(), Limits { request_seconds: 1, ..Limits::default() }, never).await;
    let late = scene.ask(scene.request("ana")).await.unwrap_err();
    assert_eq!((late.code(), late.message()), (Code::DeadlineExceeded, "the call took longer than 1000 ms"));
    // Our own client would not wait for the server's word.
    let late = scene.say(scene.web_call("grpc-timeout: 50m\r\n").as_bytes()).await;
    assert!(late.contains("grpc-status: 4") && late.contains("longer%20than%2050%20ms"), "{late}");
}

#[tokio::test]
async fn a_stop_lets_the_call_under_way_finish_and_takes_no_other() {
    let goes = Arc::new(Notify::new());
    let scene = serve(here(), Limits::default(), Some(goes.clone())).await;
    let channel = scene.channel().await;
    let request = scene.request("ana");
    let call = tokio::spawn(async move { FederationServiceClient::new(channel).get_status(request).await });
    scene.came.notified().await;
    scene.stop.cancel();
    // The port is closed once the stop is under way; the call is still there.
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while TcpStream::connect(scene.address).await.is_ok() {
        assert!(tokio::time::Instant::now() < deadline, "the port stays open");
        tokio::task::yield_now().await;
    }
    let mut serving = scene.serving;
    assert!(tokio::time::timeout(Duration::from_millis(300), &mut serving).await.is_err(), "it waits for the call");
    goes.notify_one();
    call.await.unwrap().unwrap();
    serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_stop_does_not_wait_for_ever() {
    let listen = Listen { drain_seconds: 1, ..here() };
    let scene = serve(listen, Limits::default(), Some(Arc::new(Notify::new()))).await;
    let channel = scene.channel().await;
    let request = scene.request("ana");
    let _call = tokio::spawn(async move { FederationServiceClient::new(channel).get_status(request).await });
    scene.came.notified().await;
    scene.stop.cancel();
    tokio::time::timeout(Duration::from_secs(10), scene.serving).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn a_port_in_use_and_an_open_address_are_refused_in_one_line() {
    let scene = serve(here(), Limits::default(), None).await;
    let folder = TempDir::new().unwrap();
    let bind = |listen: Listen| {
        let authenticator = Authenticator::local(&issuer(&folder), &[7; 32]);
        let server = Server::new(&listen, &Limits::default(), authenticator);
        server.and_then(Server::open).map(|_| ()).map_err(|error| error.to_string())
    };
    let taken = bind(Listen { grpc: scene.address, ..here() }).unwrap_err();
    assert!(taken.starts_with(&format!("cannot listen on {}: Address already in use", scene.address)), "{taken}");
    assert!(taken.contains("COMMONWEAL_LISTEN__GRPC") && !taken.contains('\n'), "{taken}");

    let everywhere = Listen { grpc: SocketAddr::from(([0, 0, 0, 0], 0)), ..Listen::default() };
    let open = bind(everywhere.clone()).unwrap_err();
    assert!(open.contains("listen.insecure = true") && !open.contains('\n'), "{open}");
    bind(Listen { insecure: true, ..everywhere }).unwrap();

    let missing = Some("/nowhere/tls.crt".into());
    let tls = bind(Listen { certificate: missing.clone(), key: missing, ..here() }).unwrap_err();
    assert!(tls.starts_with("cannot use /nowhere/tls.crt for TLS"), "{tls}");
}

#[tokio::test]
async fn beyond_this_machine_the_port_speaks_tls_only() {
    let folder = TempDir::new().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (folder.path().join("tls.crt"), folder.path().join("tls.key"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let everywhere = SocketAddr::from(([0, 0, 0, 0], 0));
    let listen = Listen { grpc: everywhere, certificate: Some(certificate), key: Some(key), ..Listen::default() };
    let scene = serve(listen, Limits::default(), None).await;

    // Somebody who only connects keeps nobody waiting.
    let _idle = TcpStream::connect((std::net::Ipv4Addr::LOCALHOST, scene.address.port())).await.unwrap();
    let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(made.cert.pem())).domain_name("localhost");
    let endpoint = Endpoint::from_shared(format!("https://127.0.0.1:{}", scene.address.port())).unwrap();
    let channel = endpoint.tls_config(tls).unwrap().connect().await.unwrap();
    FederationServiceClient::new(channel).get_status(scene.request("ana")).await.unwrap();

    let plain = Endpoint::from_shared(format!("http://127.0.0.1:{}", scene.address.port())).unwrap();
    let plain = plain.connect_lazy();
    assert!(FederationServiceClient::new(plain).get_status(scene.request("ana")).await.is_err());
    scene.stop.cancel();
    scene.serving.await.unwrap().unwrap();
}

/// What a browser sends before it lets a page of another origin call.
fn preflight(origin: &str) -> String {
    format!(
        "OPTIONS /commonweal.federation.v1.FederationService/GetStatus HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\
         origin: {origin}\r\naccess-control-request-method: POST\r\n\
         access-control-request-headers: authorization,content-type,x-grpc-web\r\n\r\n"
    )
}

#[tokio::test]
async fn a_page_of_an_allowed_origin_may_call_and_read_the_answer() {
    let allowed_origins = vec!["https://console.example.org".to_owned()];
    let scene = serve(Listen { allowed_origins, ..here() }, Limits::default(), None).await;
    let answer = scene.say(preflight("https://console.example.org").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    for header in [
        "access-control-allow-origin: https://console.example.org\r\n",
        "access-control-allow-methods: POST\r\n",
        "access-control-allow-headers: authorization, content-type, grpc-timeout, traceparent, x-grpc-web",
    ] {
        assert!(answer.contains(header), "{header}: {answer}");
    }
    let answer = scene.say(scene.web_call("origin: https://console.example.org\r\n").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("grpc-status:0"), "{answer}");
    assert!(answer.contains("access-control-allow-origin: https://console.example.org\r\n"), "{answer}");
    assert!(answer.contains("access-control-expose-headers: grpc-status, grpc-message"), "{answer}");
    // A refusal is read as well: the page must learn that its token is over.
    let without_token = scene.web_call("origin: https://console.example.org\r\n").replace("Bearer ", "Bearer x");
    let answer = scene.say(without_token.as_bytes()).await;
    assert!(answer.contains("access-control-allow-origin: https://console.example.org\r\n"), "{answer}");
}

#[tokio::test]
async fn a_page_of_any_other_origin_may_not() {
    let allowed_origins = vec!["https://console.example.org".to_owned()];
    for allowed_origins in [Vec::new(), allowed_origins] {
        let scene = serve(Listen { allowed_origins, ..here() }, Limits::default(), None).await;
        for stranger in ["https://evil.example.org", "http://console.example.org", "null"] {
            let asked = scene.say(preflight(stranger).as_bytes()).await;
            let called = scene.say(scene.web_call(&format!("origin: {stranger}\r\n")).as_bytes()).await;
            assert!(!asked.contains("access-control-allow"), "{stranger}: {asked}");
            assert!(!called.contains("access-control-allow"), "{stranger}: {called}");
        }
    }
}

#[tokio::test]
async fn what_is_no_origin_is_refused_by_name() {
    let folder = TempDir::new().unwrap();
    let listen = Listen { allowed_origins: vec!["*".to_owned()], ..here() };
    let refused = Server::new(&listen, &Limits::default(), Authenticator::local(&issuer(&folder), &[7; 32])).err();
    let said = refused.unwrap().to_string();
    assert!(said.starts_with("listen.allowed_origins has \"*\", which is no origin"), "{said}");
}
