//! Unary calls: a read of one resource, beside a server that gives the same bytes back and does nothing else.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::Ipv4Addr;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use proto::measurement::measurement_service_client::MeasurementServiceClient;
use proto::measurement::measurement_service_server::SERVICE_NAME;
use proto::measurement::{GetMeasureRequest, GetMeasureResponse};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tonic::body::Body;
use tonic::client::GrpcService;
use tonic::codegen::{Body as HttpBody, Service, StdError, http};
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

use crate::figure::{Figure, Outcome, in_turns, median};
use crate::nodes::Coalition;
use crate::writes::rate;

const TURN: Duration = Duration::from_secs(2);

/// Calls a second of so many callers at once, on one connection.
pub async fn figure(alone: &Coalition, name: &'static str, callers: u32, rounds: usize) -> Outcome<Figure> {
    let request = GetMeasureRequest { measure: alone.measure.clone() };
    let client = alone.node(0)?.client.measurement();
    let answer = client.clone().get_measure(request.clone()).await?.into_inner();
    let (echo, serving) = Echo(answer).start().await?;
    let limit = async || {
        alone.rest().await?;
        calls(&echo, &request, callers).await
    };
    let (ours, limit) = in_turns(rounds, async || calls(&client, &request, callers).await, limit).await?;
    serving.abort();
    Ok(Figure { name, ours: median(&ours), limit: median(&limit), unit: "calls/s" })
}

async fn calls<S>(client: &MeasurementServiceClient<S>, request: &GetMeasureRequest, callers: u32) -> Outcome<f64>
where
    S: GrpcService<Body, Error: Into<StdError>, Future: Send> + Clone + Send + 'static,
    S::ResponseBody: HttpBody<Data = Bytes, Error: Into<StdError> + Send> + Send + 'static,
{
    let mut at_once = JoinSet::new();
    let begun = Instant::now();
    for _ in 0..callers {
        let (mut client, request) = (client.clone(), request.clone());
        at_once.spawn(async move {
            let mut count = 0;
            while begun.elapsed() < TURN {
                client.get_measure(request.clone()).await?;
                count += 1;
            }
            Ok(count)
        });
    }
    rate(at_once, begun).await
}

/// Answers every call with the same message.
#[derive(Clone)]
struct Echo(GetMeasureResponse);

impl Echo {
    async fn start(self) -> Outcome<(MeasurementServiceClient<Channel>, JoinHandle<()>)> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        let serving = Server::builder().add_service(self).serve_with_incoming(incoming);
        let serving = tokio::spawn(async move { drop(serving.await) });
        let channel = Endpoint::from_shared(format!("http://{address}"))?.connect().await?;
        Ok((MeasurementServiceClient::new(channel), serving))
    }
}

impl NamedService for Echo {
    const NAME: &'static str = SERVICE_NAME;
}

impl UnaryService<GetMeasureRequest> for Echo {
    type Response = GetMeasureResponse;
    type Future = Ready<Result<Response<Self::Response>, Status>>;

    fn call(&mut self, _: Request<GetMeasureRequest>) -> Self::Future {
        ready(Ok(Response::new(self.0.clone())))
    }
}

impl Service<http::Request<Body>> for Echo {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let echo = self.clone();
        Box::pin(async move { Ok(Grpc::new(ProstCodec::default()).unary(echo, request).await) })
    }
}
