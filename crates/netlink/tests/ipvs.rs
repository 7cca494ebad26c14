//! The bytes of IPVS, and a kernel's table that is made what it should be whatever happens.

mod ipvs {
    mod anything;
    mod fake;
    mod golden;
}
