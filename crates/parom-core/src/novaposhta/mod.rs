//! Nova Poshta's directory: settlements, branches and lockers, and the ways to find one of them. Pure: what is fetched, when,
//! and where it is kept is the gateway's.

mod areas;
mod asked;
mod directory;
mod fold;
mod near;
mod read;
mod refresh;
mod renamed;
mod resolve;
mod rows;
mod search;
mod street;
mod words;

pub use directory::{Builder, Counts, Directory, Fit};
pub use fold::fold;
pub use read::{Answer, List, Page, answer, take};
pub use refresh::{Next, Refresh};
pub use resolve::{Candidate, Doubt, Resolution, resolve};
pub use rows::{Branch, City, Kind, Ref, Settlement};
pub use search::{Found, branches, settlements};
