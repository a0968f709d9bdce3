//! A backbone and its partners: started together over one Postgres, linked by invitation, ended together.

use std::path::{Path, PathBuf};

use chassis::embedded::{Postgres, PostgresOptions};
use futures_util::future::try_join_all;
use proto::federation::{
    CreateInvitationRequest, GetSpaceDigestRequest, GetSpaceDigestResponse, JoinInitiativeRequest,
};

use super::node::{Footing, Node, Sketch};
use super::waiting::until;
use crate::cli::request_id;
use crate::error::NodeError;

/// The nodes of a coalition, the backbone first.
pub struct Coalition {
    /// All of them; they run unless they were stopped.
    pub nodes: Vec<Node>,
    program: PathBuf,
    postgres: Option<Postgres>,
    durable: bool,
}

impl Coalition {
    /// Starts Postgres under a folder and makes the nodes there that are missing; none of them runs yet. What is
    /// `durable` survives a power cut; the rest is quicker.
    ///
    /// # Errors
    /// Where Postgres does not start, or something cannot be written.
    pub async fn settle(folder: &Path, program: &Path, sketches: &[Sketch], durable: bool) -> Result<Self, NodeError> {
        let options = PostgresOptions { data_dir: folder.join("postgres"), port: None, durable };
        let postgres = Postgres::start(options).await?;
        let mut nodes = Vec::new();
        for sketch in sketches {
            postgres.create_database(sketch.name).await?;
            let footing = Footing { database: postgres.url(sketch.name), broker: None, hub: None };
            nodes.push(Node::settle(folder, *sketch, &footing)?);
        }
        Ok(Self { nodes, program: program.to_owned(), postgres: Some(postgres), durable })
    }

    /// Nodes that stand on what somebody else runs; none of them runs yet.
    pub fn of(nodes: Vec<Node>, program: &Path) -> Self {
        Self { nodes, program: program.to_owned(), postgres: None, durable: true }
    }

    /// Starts every node.
    ///
    /// # Errors
    /// What does not start.
    pub async fn start(&mut self) -> Result<(), NodeError> {
        let program = &self.program;
        try_join_all(self.nodes.iter_mut().map(|node| node.start(program))).await?;
        Ok(())
    }

    /// The node with this short name.
    ///
    /// # Errors
    /// Where there is none.
    pub fn node(&self, name: &str) -> Result<&Node, NodeError> {
        let found = self.nodes.iter().find(|node| node.sketch.name == name);
        found.ok_or_else(|| NodeError::Usage(format!("there is no node {name} here")))
    }

    /// The node that holds the initiative together.
    ///
    /// # Errors
    /// Where there is none.
    pub fn backbone(&self) -> Result<&Node, NodeError> {
        let found = self.nodes.iter().find(|node| node.sketch.backbone);
        found.ok_or_else(|| NodeError::Usage("there is no backbone here".to_owned()))
    }

    /// Ends one node in good order.
    ///
    /// # Errors
    /// Where it had to be killed, or ended with a failure.
    pub async fn stop_node(&mut self, name: &str) -> Result<(), NodeError> {
        self.named(name)?.stop().await
    }

    /// Ends one node as a crash would.
    ///
    /// # Errors
    /// Where there is none of this name.
    pub async fn kill_node(&mut self, name: &str) -> Result<(), NodeError> {
        self.named(name)?.kill().await;
        Ok(())
    }

    /// Starts one node again.
    ///
    /// # Errors
    /// Where it ends instead.
    pub async fn start_node(&mut self, name: &str) -> Result<(), NodeError> {
        let program = self.program.clone();
        self.named(name)?.start(&program).await
    }

    fn named(&mut self, name: &str) -> Result<&mut Node, NodeError> {
        let found = self.nodes.iter_mut().find(|node| node.sketch.name == name);
        found.ok_or_else(|| NodeError::Usage(format!("there is no node {name} here")))
    }

    /// Runs a command of this program with a node's configuration: what it says, and whether it ended well.
    ///
    /// # Errors
    /// Where it cannot be run.
    pub async fn command(&self, node: &Node, words: &[&str]) -> Result<(String, bool), NodeError> {
        node.command(&self.program, words).await
    }

    /// Invites a node to an initiative of the backbone, and lets it join.
    ///
    /// # Errors
    /// What either side says.
    pub async fn link(&self, name: &str, initiative: &str, initiative_name: &str) -> Result<(), NodeError> {
        let invitation = self.invite(name, initiative, initiative_name).await?;
        self.join(name, invitation).await
    }

    /// Invites a node to an initiative of the backbone: the line.
    ///
    /// # Errors
    /// What the backbone says.
    pub async fn invite(&self, name: &str, initiative: &str, initiative_name: &str) -> Result<String, NodeError> {
        let partner = self.node(name)?;
        let invitation = CreateInvitationRequest {
            request_id: request_id(),
            initiative: initiative.to_owned(),
            initiative_name: initiative_name.to_owned(),
            display_name: partner.sketch.title.to_owned(),
            valid_seconds: 3600,
            follower: false,
        };
        let backbone = self.backbone()?.operator()?;
        // The border hears of a new initiative a moment after its room.
        let invitation =
            until("an invitation", async || Ok(backbone.federation().create_invitation(invitation.clone()).await.ok()));
        Ok(invitation.await?.into_inner().invitation)
    }

    /// Lets a node join with an invitation.
    ///
    /// # Errors
    /// What the node says.
    pub async fn join(&self, name: &str, invitation: String) -> Result<(), NodeError> {
        let join = JoinInitiativeRequest { request_id: request_id(), invitation };
        self.node(name)?.operator()?.federation().join_initiative(join).await?;
        Ok(())
    }

    /// Waits until every node holds the same state of a space, with nothing on the way; what each says of it, in the
    /// order of the nodes.
    ///
    /// # Errors
    /// Where it does not come to that.
    pub async fn settled(&self, space: &str) -> Result<Vec<GetSpaceDigestResponse>, NodeError> {
        settled_on(&self.nodes.iter().collect::<Vec<_>>(), space).await
    }

    /// Ends all nodes, the backbone last, and then Postgres.
    ///
    /// # Errors
    /// The first that had to be killed; the others are ended all the same.
    pub async fn stop(self) -> Result<(), NodeError> {
        let Self { mut nodes, postgres, durable, .. } = self;
        let (partners, backbones): (Vec<_>, Vec<_>) = nodes.iter_mut().partition(|node| !node.sketch.backbone);
        let mut ended = Vec::new();
        for side in [partners, backbones] {
            ended.extend(futures_util::future::join_all(side.into_iter().map(Node::stop)).await);
        }
        // What need not survive need not be written down: that may take seconds.
        if durable && let Some(postgres) = postgres {
            postgres.stop().await?;
        } else {
            drop(postgres);
        }
        ended.into_iter().collect()
    }
}

/// Waits until some nodes hold the same state of a space, with nothing on the way; what each says of it, in their order.
///
/// # Errors
/// Where it does not come to that.
pub async fn settled_on(nodes: &[&Node], space: &str) -> Result<Vec<GetSpaceDigestResponse>, NodeError> {
    until(format!("the same position of {space} everywhere"), async || {
        let mut positions = Vec::new();
        for node in nodes {
            positions.push(node.position(space).await?);
        }
        positions.dedup();
        Ok((positions.len() == 1).then_some(()))
    })
    .await?;
    until(format!("the same state of {space} everywhere"), async || {
        let mut digests = Vec::new();
        for node in nodes {
            let request = GetSpaceDigestRequest { space: space.to_owned() };
            digests.push(node.operator()?.federation().get_space_digest(request).await?.into_inner());
        }
        let first = digests.first().cloned().unwrap_or_default();
        let same = |one: &GetSpaceDigestResponse| {
            one.settled && one.pending == 0 && one.position == first.position && one.digest == first.digest
        };
        Ok(digests.iter().all(same).then_some(digests))
    })
    .await
}
