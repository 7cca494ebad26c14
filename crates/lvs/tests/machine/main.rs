//! The machine on a virtual clock.

mod cases;
mod difference;
mod random;
mod rig;
mod schedule;
