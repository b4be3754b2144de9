//! Who answers for a caller, with certificates made for the test.

mod chain;
mod credentials;
mod tokens;
