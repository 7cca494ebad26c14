//! The reconciler against a kernel that others change too, that refuses, forgets to tell, and tells late.

mod anything;
mod links;
mod refusals;
mod wishes;
mod world;
