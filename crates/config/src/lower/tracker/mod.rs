//! What instances and groups can track: files, processes, and groups of followers.

mod file;
mod follower;
mod process;

pub(crate) use file::FileTracker;
pub(crate) use follower::TrackGroup;
pub(crate) use process::ProcessTracker;
