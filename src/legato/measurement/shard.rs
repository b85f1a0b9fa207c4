//! A share of the work, for many machines at once.

use crate::{Error, Result};
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

/// One of several equal shares of consecutive objects, written `2/4`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shard {
    /// How many shares there are.
    of: u64,
    /// Which one this is, from 1.
    number: u64,
}

impl Shard {
    /// All of the work.
    pub const WHOLE: Shard = Shard { number: 1, of: 1 };

    /// Share `number`, from 1, of `of`.
    ///
    /// # Errors
    /// There is no such share.
    pub fn new(number: u64, of: u64) -> Result<Self> {
        if number == 0 || number > of {
            return Err(Error::Usage(format!(
                "there is no share {number}/{of}: with n shares they are 1/n, 2/n, … n/n"
            )));
        }
        Ok(Shard { number, of })
    }

    /// Which one this is, from 1.
    pub fn number(self) -> u64 {
        self.number
    }

    /// How many there are.
    pub fn of(self) -> u64 {
        self.of
    }

    /// Whether there is more than one.
    pub fn is_partial(self) -> bool {
        self.of > 1
    }

    /// Its objects of `total`: shares differ by one at most, and together are all.
    pub fn range(self, total: u64) -> Range<u64> {
        let cut = |k: u64| (u128::from(total) * u128::from(k) / u128::from(self.of)) as u64;
        cut(self.number - 1)..cut(self.number)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl FromStr for Shard {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let numbers = text.split_once('/').map(|(number, of)| (number.trim().parse(), of.trim().parse()));
        match numbers {
            Some((Ok(number), Ok(of))) => Shard::new(number, of),
            _ => Err(Error::Usage(format!("'{text}' is no share of the work: write it as 2/4"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_consecutive_nearly_equal_and_all_there_is() {
        for (total, of) in [(0, 3), (2, 5), (10, 3), (1_000_003, 7), (u64::MAX, 4)] {
            let mut next = 0;
            for number in 1..=of {
                let range = Shard::new(number, of).expect("it is one").range(total);
                assert_eq!(range.start, next);
                assert!(range.end - range.start <= total / of + 1);
                next = range.end;
            }
            assert_eq!(next, total);
        }
    }

    #[test]
    fn a_share_is_written_as_a_fraction() {
        let shard: Shard = " 2/ 4".parse().expect("it is one");
        assert_eq!((shard, shard.to_string().as_str()), (Shard { number: 2, of: 4 }, "2/4"));
        for wrong in ["0/4", "5/4", "2", "2/", "a/b", "-1/4", "1/0"] {
            let message = wrong.parse::<Shard>().expect_err(wrong).to_string();
            assert!(message.contains("share"), "{message}");
        }
    }
}
