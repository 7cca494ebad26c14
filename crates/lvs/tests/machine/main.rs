//! The machine on a virtual clock.

mod cases;
mod difference;
mod progress;
mod random;
mod rig;
mod schedule;
