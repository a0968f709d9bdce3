//! Everything a soak plays on: the nodes with what they stand on, the hub, who cheats, and what was agreed before it began.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use chassis::clock;
use chassis::embedded::NatsConfig;
use federation::invitation;
use node::error::NodeError;
use node::fleet::{Coalition, Sketch};
use node::house;

use super::cheat::Cheat;
use super::log::Log;
use super::place::{Broker, Ground, Place};
use super::world::{self, World};
use super::wrong;

/// The nodes that a soak can have, the backbone first.
const SKETCHES: [Sketch; 6] = [
    Sketch { name: "backbone", title: "Readers' Alliance", backbone: true },
    Sketch { name: "alpha", title: "Library of Alpha", backbone: false },
    Sketch { name: "beta", title: "Library of Beta", backbone: false },
    Sketch { name: "gamma", title: "Library of Gamma", backbone: false },
    Sketch { name: "delta", title: "Library of Delta", backbone: false },
    Sketch { name: "epsilon", title: "Library of Epsilon", backbone: false },
];
/// Joins when the others have been at it for a while, and only listens.
const LATE: Sketch = Sketch { name: "omega", title: "Library of Omega", backbone: false };
/// Joins as anybody does, and cheats from then on.
const CHEAT: Sketch = Sketch { name: "mallory", title: "Library of Mallory", backbone: false };

/// How many nodes a soak can have: one must hold what another may not.
pub const NODES: std::ops::RangeInclusive<usize> = 3..=SKETCHES.len();

/// A coalition in the field.
pub struct Field {
    /// Where everything lies.
    pub folder: PathBuf,
    /// The program that the nodes run.
    pub program: PathBuf,
    /// The nodes, the backbone first; last the one that joins late, to whom nothing else happens.
    pub places: Vec<Place>,
    /// The hub's server.
    pub hub: Broker,
    /// Where it listens.
    pub listen: SocketAddr,
    /// The partner who cheats; its own node does not run.
    pub cheat: Cheat,
    /// What was agreed.
    pub world: World,
    /// What happens.
    pub log: Log,
}

impl Field {
    /// Sets everything up under a folder and starts it.
    pub async fn set(folder: &Path, program: &Path, nodes: usize, log: Log) -> Result<Self, NodeError> {
        let listen = free_address()?;
        let (mut grounds, mut running) = (Vec::new(), Vec::new());
        for sketch in SKETCHES.iter().take(nodes).chain([&CHEAT]) {
            let (ground, node) = Ground::prepare(folder, *sketch, listen).await?;
            grounds.push(ground);
            running.push(node);
        }
        let backbone = running.first().ok_or_else(|| wrong("there is no backbone"))?;
        let (store, file) = (folder.join("hub"), folder.join("hub.conf"));
        house::write_hub_config(backbone.config(), &store, &file)?;
        let hub = Broker::start(store, NatsConfig::File(file)).await?;

        let mut coalition = Coalition::of(running, program);
        coalition.start().await?;
        let doors: Vec<SocketAddr> = grounds.iter().map(|ground| ground.proxy.address).collect();
        let mut world = world::found(&coalition, &doors).await?;
        let together = grounds.into_iter().zip(coalition.nodes);
        let mut places: Vec<Place> = together.map(|(ground, node)| Place::of(ground, node)).collect();
        let (Some(place), Some(organization)) = (places.pop(), world.organizations.pop()) else {
            return Err(wrong("nobody cheats"));
        };
        let cheat = Cheat::of(place, &world, organization).await?;
        let (ground, node) = Ground::prepare(folder, LATE, listen).await?;
        let late = Place::of(ground, node);
        late.start(program).await?;
        places.push(late);
        Ok(Self { folder: folder.to_owned(), program: program.to_owned(), places, hub, listen, cheat, world, log })
    }

    /// A node by its number.
    pub fn place(&self, at: usize) -> Result<&Place, NodeError> {
        self.places.get(at).ok_or_else(|| wrong(format!("there is no node {at}")))
    }

    /// Ends everything in good order, the backbone last but for the hub.
    pub async fn end(&self) -> Result<(), NodeError> {
        for place in self.places.iter().rev() {
            place.node.write().await.stop().await?;
        }
        self.hub.stop().await?;
        for place in &self.places {
            place.ground.broker.stop().await?;
            place.ground.postgres.stop().await?;
        }
        Ok(())
    }
}

/// The same invitation, to a hub behind another door.
pub(super) fn by_door(line: &str, door: SocketAddr) -> Result<String, NodeError> {
    let mut read = invitation::read(line, clock::now()).map_err(wrong)?;
    read.hub = format!("tls://{door}");
    Ok(invitation::write(&read))
}

fn free_address() -> Result<SocketAddr, NodeError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr()).map_err(wrong)
}
