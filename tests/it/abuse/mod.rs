//! The abuse cases, each by its id: denied, no data, no change of state.

mod holders;
