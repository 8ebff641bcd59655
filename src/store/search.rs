//! Finding text that people typed.

use sea_orm::{
    ColumnTrait, DbBackend, ExprTrait,
    sea_query::{Expr, LikeExpr, SimpleExpr},
};

/// Whether one of the columns contains the text, small and capital letters alike.
///
/// Only the letters of ASCII: SQLite folds no others, and both databases must find the same rows.
pub(in crate::store) fn contains<C: ColumnTrait, const N: usize>(
    database: DbBackend,
    columns: [C; N],
    text: &str,
) -> SimpleExpr {
    let folded = if database == DbBackend::Postgres { "lower($1 COLLATE \"C\")" } else { "lower(?)" };
    let pattern = pattern(text);
    columns.into_iter().fold(Expr::val(1).eq(0), |found, column| {
        let value = Expr::cust_with_exprs(folded, [Expr::col(column.as_column_ref())]);
        found.or(value.like(LikeExpr::new(pattern.clone()).escape('!')))
    })
}

fn pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for letter in text.chars() {
        if matches!(letter, '!' | '%' | '_') {
            pattern.push('!');
        }
        pattern.push(letter.to_ascii_lowercase());
    }
    pattern.push('%');
    pattern
}
