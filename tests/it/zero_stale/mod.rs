//! Zero stale on real processes: three gateways, one PostgreSQL, one Redis, and everything that can go wrong between them.

mod company;
mod dice;
mod fault;
mod fleet;
mod killed;
mod kind;
mod line;
mod process;
mod race;
mod races;
mod resp;
mod shifted;
mod socket;
mod steady;
mod subscription;
