//! A backbone and a partner at work in this process, with a little of everything in their databases: what one told the
//! other, a hosted organisation, a refusal, and a role that ended.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chassis::config::Config;
use chassis::embedded::PostgresOptions;
use chassis::identity::NodeKeys;
use chassis::testing::Postgres;
use node::client::Client;
use node::house::House;
use node::verify::{Report, Verifier, Watch};
use proto::common::Role;
use proto::federation::{CreateInvitationRequest, GetSpaceDigestRequest, JoinInitiativeRequest};
use proto::measurement::*;
use proto::membership::*;
use proto::messaging::{
    ChannelDefinition, ChannelKind, CreateChannelRequest, EditMessageRequest, PostMessageRequest,
    WithdrawMessageRequest,
};
use sqlx::{AssertSqlSafe, PgPool};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

const PATIENCE: Duration = Duration::from_secs(60);

struct Nobody;

impl Watch for Nobody {
    fn begin(&self, _: &'static str, _: u64) {}
    fn done(&self, _: u64) {}
}

pub struct Node {
    pub name: &'static str,
    pub config: Config,
    pub client: Client,
    file: PathBuf,
    keys: NodeKeys,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl Node {
    async fn start(folder: &TempDir, name: &'static str, database: &str, more: &str) -> Self {
        let home = folder.path().join(name);
        let file = folder.path().join(format!("{name}.toml"));
        let text = format!(
            "[node]\nname = \"{name}\"\ndata_dir = \"{}\"\n[listen]\ngrpc = \"127.0.0.1:0\"\n[database]\nurl = \"{database}\"\n{more}",
            home.display()
        );
        std::fs::write(&file, text).unwrap();
        let config = Config::load(Some(&file)).unwrap();
        let house = House::start(&config).await.unwrap();
        let client = Client::operator(&config).await.unwrap();
        let keys = NodeKeys::load(&home).unwrap().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(async move {
            house.serve(async { drop(stopped.await) }).await.unwrap();
        });
        Self { name, config, client, file, keys, stop, serving }
    }

    pub fn id(&self) -> String {
        self.keys.id().to_string()
    }

    pub async fn superuser(&self) -> PgPool {
        PgPool::connect(self.config.database.url.as_ref().unwrap().reveal()).await.unwrap()
    }

    pub async fn verify(&self) -> Report {
        let verifier = Verifier {
            database: self.config.database.url.as_ref().unwrap().reveal(),
            node: self.keys.id().clone(),
            own_keys: vec![self.keys.public()],
            folds: true,
            watch: &Nobody,
        };
        verifier.run().await.unwrap()
    }

    /// Verifies after something was done to a table, and puts the table back.
    pub async fn tampered(&self, table: &str, tamper: &str) -> Report {
        let pool = self.superuser().await;
        let run = async |statements: &str| {
            // Neither triggers nor foreign keys take part.
            let text = format!("set session_replication_role = replica; {statements}");
            sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut *pool.acquire().await.unwrap()).await.unwrap();
        };
        run(&format!("create table public.aside as table {table}")).await;
        run(tamper).await;
        let report = self.verify().await;
        let back = format!("delete from {table}; insert into {table} overriding system value table public.aside");
        run(&format!("{back}; drop table public.aside")).await;
        report
    }

    /// Runs the command on this node's configuration: its exit code and standard output.
    pub async fn command(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_commonweal"));
        let output = command.arg("--config").arg(&self.file).args(arguments).output().await.unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        (output.status.code(), text + &String::from_utf8(output.stderr).unwrap())
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.serving.await.unwrap();
    }
}

pub struct Scene {
    pub backbone: Node,
    pub alpha: Node,
    initiative: String,
    measure: String,
    hosted: String,
    _postgres: Postgres,
    _folder: TempDir,
}

/// A task that goes on until it is told to stop.
pub struct Writing {
    go_on: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Writing {
    pub async fn stop(self) {
        self.go_on.store(false, Ordering::Relaxed);
        self.task.await.unwrap();
    }
}

pub async fn scene() -> Scene {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = TempDir::new().unwrap();
    let options = PostgresOptions { data_dir: folder.path().join("postgres"), port: None, durable: false };
    let postgres = Postgres::start(options).await.unwrap();
    for name in ["backbone", "alpha"] {
        postgres.create_database(name).await.unwrap();
    }
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let hub = format!("[hub]\nenabled = true\nlisten = \"{free}\"\n");
    let backbone = Node::start(&folder, "backbone", &postgres.url("backbone"), &hub).await;
    let alpha = Node::start(&folder, "alpha", &postgres.url("alpha"), "").await;

    let initiative = found(&backbone.client).await;
    let hosted = admit_hosted(&backbone.client, &initiative).await;
    talk(&backbone, &initiative, &hosted).await;
    join(&backbone.client, &alpha.client, &initiative).await;
    let partner = ask_and_admit(&backbone.client, &alpha.client, &initiative).await;
    let measure = define(&backbone.client, &initiative).await;
    soon(async || alpha.client.measurement().get_measure(GetMeasureRequest { measure: measure.clone() }).await.ok())
        .await;
    report(&alpha.client, &measure, &partner, "P", 10).await;
    report(&backbone.client, &measure, &hosted, "H", 5).await;
    forge(&alpha, &initiative).await;

    let scene = Scene { backbone, alpha, initiative, measure, hosted, _postgres: postgres, _folder: folder };
    scene.settle().await;
    scene
}

impl Scene {
    pub fn node(&self, name: &str) -> &Node {
        if name == "alpha" { &self.alpha } else { &self.backbone }
    }

    /// Puts in names; in SQL as text.
    pub fn filled(&self, text: &str, sql: bool) -> String {
        let names = [
            ("{alpha}", self.alpha.id()),
            ("{backbone}", self.backbone.id()),
            ("{members}", format!("{}/members", self.initiative)),
            ("{initiative}", self.initiative.clone()),
        ];
        names.into_iter().fold(text.to_owned(), |text, (name, value)| {
            text.replace(name, &if sql { format!("'{value}'") } else { value })
        })
    }

    /// Waits until both hold the same, and nothing is on its way.
    async fn settle(&self) {
        let request = || GetSpaceDigestRequest { space: format!("{}/members", self.initiative) };
        soon(async || {
            let mut digests = Vec::new();
            for node in [&self.backbone, &self.alpha] {
                digests.push(node.client.federation().get_space_digest(request()).await.ok()?.into_inner());
            }
            let settled = digests.iter().all(|digest| digest.settled);
            (settled && digests[0].position == digests[1].position && digests[0].digest == digests[1].digest)
                .then_some(())
        })
        .await;
    }

    /// Goes on reporting at the backbone until it is told to stop.
    pub fn report_for_ever(&self) -> Writing {
        let go_on = Arc::new(AtomicBool::new(true));
        let (client, measure, hosted, on) =
            (self.backbone.client.clone(), self.measure.clone(), self.hosted.clone(), go_on.clone());
        let task = tokio::spawn(async move {
            let mut round = 0;
            while on.load(Ordering::Relaxed) {
                round += 1;
                report(&client, &measure, &hosted, &format!("R{round}-"), 3).await;
            }
        });
        Writing { go_on, task }
    }

    pub async fn stop(self) {
        self.alpha.stop().await;
        self.backbone.stop().await;
    }
}

/// Asks until there is an answer.
pub async fn soon<T>(ask: impl AsyncFn() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, asking).await.expect("it did not come to hold in time")
}

fn request_id() -> String {
    chassis::clock::new_id().to_string()
}

async fn found(backbone: &Client) -> String {
    let wanted = Initiative {
        display_name: "Every child".to_owned(),
        purpose: "Every child reads".to_owned(),
        region: "Here".to_owned(),
        state: InitiativeState::Active.into(),
        ..Initiative::default()
    };
    let request = CreateInitiativeRequest { initiative: Some(wanted), request_id: request_id() };
    backbone.membership().create_initiative(request).await.unwrap().into_inner().initiative.unwrap().reference
}

/// Two messages, one of which is edited and taken back before anybody else is there.
async fn talk(node: &Node, initiative: &str, organization: &str) {
    let mut messaging = node.client.messaging();
    let definition = ChannelDefinition {
        organization: organization.to_owned(),
        name: "Readers".to_owned(),
        subject: initiative.to_owned(),
        kind: ChannelKind::Discussion.into(),
        ..ChannelDefinition::default()
    };
    let request = CreateChannelRequest {
        initiative: initiative.to_owned(),
        space: "members".to_owned(),
        definition: Some(definition),
        request_id: request_id(),
    };
    let channel = soon(async || node.client.messaging().create_channel(request.clone()).await.ok()).await;
    let channel = channel.into_inner().channel.unwrap().reference;
    let post = |body: &str| PostMessageRequest {
        channel: channel.clone(),
        organization: organization.to_owned(),
        body: body.to_owned(),
        request_id: request_id(),
        ..PostMessageRequest::default()
    };
    messaging.post_message(post("It stays")).await.unwrap();
    let posted = messaging.post_message(post("It goes")).await.unwrap().into_inner().message.unwrap();
    let edit = EditMessageRequest {
        message: posted.reference.clone(),
        body: "It goes as well".to_owned(),
        etag: posted.etag,
        request_id: request_id(),
    };
    messaging.edit_message(edit).await.unwrap();
    let withdraw = WithdrawMessageRequest { message: posted.reference, request_id: request_id() };
    messaging.withdraw_message(withdraw).await.unwrap();
    let pool = node.superuser().await;
    soon(async || {
        let erased = "select count(*) from federation.entries where erased_by is not null";
        let erased: i64 = sqlx::query_scalar(erased).fetch_one(&pool).await.unwrap();
        (erased == 2).then_some(())
    })
    .await;
}

async fn join(backbone: &Client, alpha: &Client, initiative: &str) {
    let request = CreateInvitationRequest {
        request_id: request_id(),
        initiative: initiative.to_owned(),
        initiative_name: "Every child".to_owned(),
        display_name: "alpha".to_owned(),
        valid_seconds: 3600,
        follower: false,
    };
    let invitation = soon(async || backbone.federation().create_invitation(request.clone()).await.ok()).await;
    let request = JoinInitiativeRequest { request_id: request_id(), invitation: invitation.into_inner().invitation };
    soon(async || alpha.federation().join_initiative(request.clone()).await.ok()).await;
    let request = GetInitiativeRequest { initiative: initiative.to_owned() };
    soon(async || alpha.membership().get_initiative(request.clone()).await.ok()).await;
}

async fn register(node: &Client, initiative: &str, name: &str) -> String {
    let organization = Organization {
        display_name: name.to_owned(),
        sector: Sector::Institution.into(),
        identifiers: vec![Identifier { scheme: "EIN".to_owned(), value: name.to_owned() }],
        ..Organization::default()
    };
    let request = RegisterOrganizationRequest {
        initiative: initiative.to_owned(),
        organization: Some(organization),
        request_id: request_id(),
    };
    node.membership().register_organization(request).await.unwrap().into_inner().organization.unwrap().reference
}

fn roles(held: &[Role]) -> Vec<RoleTerm> {
    held.iter().map(|role| RoleTerm { role: (*role).into(), from: None, until: None }).collect()
}

/// An organisation without a node of its own, one of whose roles ends.
async fn admit_hosted(backbone: &Client, initiative: &str) -> String {
    let organization = register(backbone, initiative, "Hosted").await;
    let request = InviteOrganizationRequest {
        initiative: initiative.to_owned(),
        organization: organization.clone(),
        invitee: String::new(),
        request_id: request_id(),
    };
    let invited = backbone.membership().invite_organization(request).await.unwrap().into_inner().membership.unwrap();
    let request = AdmitMemberRequest {
        initiative: initiative.to_owned(),
        membership: invited.reference.clone(),
        roles: roles(&[Role::Partner, Role::DataLead]),
        request_id: request_id(),
        ..AdmitMemberRequest::default()
    };
    backbone.membership().admit_member(request).await.unwrap();
    let end = EndRoleRequest {
        membership: invited.reference,
        role: Role::DataLead.into(),
        request_id: request_id(),
        ..EndRoleRequest::default()
    };
    backbone.membership().end_role(end).await.unwrap();
    organization
}

async fn ask_and_admit(backbone: &Client, alpha: &Client, initiative: &str) -> String {
    let organization = register(alpha, initiative, "Partner").await;
    let wish = JoinRequest {
        organization: organization.clone(),
        statement: "We want to help".to_owned(),
        ..JoinRequest::default()
    };
    let request = CreateJoinRequestRequest {
        initiative: initiative.to_owned(),
        join_request: Some(wish),
        request_id: request_id(),
    };
    let asked = alpha.membership().create_join_request(request).await.unwrap().into_inner().join_request.unwrap();
    let heard = GetJoinRequestRequest { join_request: asked.reference.clone() };
    soon(async || backbone.membership().get_join_request(heard.clone()).await.ok()).await;
    let request = AdmitMemberRequest {
        initiative: initiative.to_owned(),
        join_request: asked.reference,
        roles: roles(&[Role::Partner]),
        request_id: request_id(),
        ..AdmitMemberRequest::default()
    };
    backbone.membership().admit_member(request).await.unwrap();
    let request = || ListMembersRequest { initiative: initiative.to_owned(), ..ListMembersRequest::default() };
    soon(async || {
        let members = alpha.membership().list_members(request()).await.ok()?.into_inner().members;
        let found = members.iter().filter_map(|member| member.membership.as_ref());
        found.into_iter().any(|membership| membership.organization == organization).then_some(())
    })
    .await;
    organization
}

async fn define(backbone: &Client, initiative: &str) -> String {
    let definition = MeasureDefinition {
        code: "readers".to_owned(),
        name: "Children who read".to_owned(),
        kind: MeasureKind::Indicator.into(),
        unit: "children".to_owned(),
        direction: Direction::Up.into(),
        aggregation: Aggregation::Sum.into(),
        per: 1,
        ..MeasureDefinition::default()
    };
    let request = CreateMeasureRequest {
        initiative: initiative.to_owned(),
        definition: Some(definition),
        request_id: request_id(),
    };
    backbone.measurement().create_measure(request).await.unwrap().into_inner().measure.unwrap().reference
}

async fn report(node: &Client, measure: &str, organization: &str, prefix: &str, places: u32) {
    let observation = |place: u32| Observation {
        geography: Some(Geography { level: "town".to_owned(), code: format!("{prefix}{place}"), name: String::new() }),
        period: "2024-01-01/2024-12-31".to_owned(),
        value: Some(Part { state: ValueState::Reported.into(), amount: (100 + place).to_string() }),
        ..Observation::default()
    };
    let request = SubmitObservationsRequest {
        definition: Some(SubmissionDefinition {
            measure: measure.to_owned(),
            organization: organization.to_owned(),
            basis: Basis::Component.into(),
            source: "A count".to_owned(),
        }),
        observations: (0..places).map(observation).collect(),
        request_id: request_id(),
        ..SubmitObservationsRequest::default()
    };
    node.measurement().submit_observations(request).await.unwrap();
}

/// Alpha's border tells something of the backbone's: refused, and kept as refused.
async fn forge(alpha: &Node, initiative: &str) {
    use chassis::event::{Actor, Event, Fact};
    let reference: chassis::names::Reference = initiative.parse().unwrap();
    let fact = Fact::of(&reference, &chassis::names::Space::members(&reference), &InitiativeRevised::default());
    let event = Event::told(&fact, alpha.keys.id(), &Actor::default());
    let pool = alpha.superuser().await;
    sqlx::query(
        "with line as (
             insert into membership.log (event_id, source, type, space, resource, bytes)
             values ($1, 'membership', $2, $3, $4, $5) returning position)
         insert into membership.unsequenced select position from line",
    )
    .bind(event.id)
    .bind(&event.type_name)
    .bind(event.space.to_string())
    .bind(event.resource.to_string())
    .bind(event.encode())
    .execute(&pool)
    .await
    .unwrap();
    soon(async || {
        let refused: i64 = sqlx::query_scalar("select count(*) from membership.log where standing = 'refused'")
            .fetch_one(&pool)
            .await
            .unwrap();
        (refused == 1).then_some(())
    })
    .await;
}
