//! The machine on a virtual clock.

mod cases;
mod random;
mod rig;
mod schedule;
