//! Support hub: the member × app × feature capability matrix (`S3`).

mod seat;
mod workspace;
