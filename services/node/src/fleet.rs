//! Several nodes on this machine, each a process with its own key, data, database and broker, over one Postgres: what
//! the demo shows and the stories among the tests play on. There is no second way to set up a coalition.

mod agreeing;
mod coalition;
mod founding;
mod node;
mod process;
mod waiting;

pub use coalition::{Coalition, settled_on};
pub use founding::{Founded, organization};
pub use node::{Footing, HubFooting, Node, Sketch};
pub use process::Process;
pub use waiting::{PATIENCE, heard, until};
