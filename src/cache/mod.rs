//! Sessions and grants, cached so that a revoked right is never honoured again.
//!
//! The rule of the room: a request that starts after a revoking change returned is decided on a state that contains the
//! change, whatever Redis does. An entry is used only while it is proven fresh: no writer is at work on its subjects, every
//! stamp in it is at least its floor, in Redis and in this node's own reading of the database ([`freshness`]), and that
//! reading is at most a second old. Anything else is a miss, and a miss asks the database. An empty, slow or dead Redis
//! changes speed, never answers.
//!
//! What may not enter: the database (it is reached by the traits [`Loader`] and [`StampTail`]), any decision about rights
//! (an entry's facts are opaque bytes here), any other cache of grants.
