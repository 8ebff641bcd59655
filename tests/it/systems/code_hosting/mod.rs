//! Code hosting: an organization of nested teams and repositories (`S5`).

mod workspace;
