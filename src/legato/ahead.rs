//! Work done ahead of its use, by a thread of its own.

use crate::Result;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, TryRecvError};
use std::thread::{self, Scope};
use std::time::Duration;

/// The results of a function, made in order by a thread of their own while the last ones are being used. At most as
/// many as were asked for lie ready; then the thread waits. Dropped, it makes what it is at and ends.
pub struct Ahead<'a, T> {
    ready: Receiver<Result<T>>,
    /// Waits for the thread's end.
    join: Option<Box<dyn FnOnce() -> thread::Result<()> + 'a>>,
}

impl<'a, T: Send + 'a> Ahead<'a, T> {
    /// Calls `make` again and again until it returns `None` or an error; up to `most` results wait to be taken, and
    /// one more is in the making.
    pub fn start(most: usize, make: impl FnMut() -> Option<Result<T>> + Send + 'static) -> Self
    where
        T: 'static,
    {
        let (work, ready) = works(most, make);
        let thread = thread::spawn(work);
        Ahead { ready, join: Some(Box::new(move || thread.join())) }
    }

    /// The same in a scope's thread, which may borrow.
    pub fn within<'scope: 'a>(
        scope: &'scope Scope<'scope, '_>,
        most: usize,
        make: impl FnMut() -> Option<Result<T>> + Send + 'scope,
    ) -> Self
    where
        T: 'scope,
    {
        let (work, ready) = works(most, make);
        let thread = scope.spawn(work);
        Ahead { ready, join: Some(Box::new(move || thread.join())) }
    }

    /// The next result if it lies ready.
    ///
    /// # Errors
    /// That of its making.
    pub fn poll(&mut self) -> Result<Option<T>> {
        match self.ready.try_recv() {
            Ok(made) => made.map(Some),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => self.ended(),
        }
    }

    /// The next result, waited for no longer than `most`.
    ///
    /// # Errors
    /// That of its making.
    pub fn wait_for(&mut self, most: Duration) -> Result<Option<T>> {
        match self.ready.recv_timeout(most) {
            Ok(made) => made.map(Some),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => self.ended(),
        }
    }

    /// The next result, waited for; `None` when there are no more.
    ///
    /// # Errors
    /// That of its making.
    pub fn wait(&mut self) -> Result<Option<T>> {
        match self.ready.recv() {
            Ok(made) => made.map(Some),
            Err(_) => self.ended(),
        }
    }

    /// The end of the thread, whose panic, if it was one, goes on here.
    fn ended(&mut self) -> Result<Option<T>> {
        if let Some(Err(panic)) = self.join.take().map(|join| join()) {
            std::panic::resume_unwind(panic);
        }
        Ok(None)
    }
}

/// What the thread does, and where its results come out.
fn works<T>(
    most: usize,
    mut make: impl FnMut() -> Option<Result<T>>,
) -> (impl FnOnce(), Receiver<Result<T>>) {
    let (sender, ready) = mpsc::sync_channel(most);
    let work = move || {
        while let Some(made) = make() {
            let last = made.is_err();
            // Nobody is there to take it any more.
            if sender.send(made).is_err() || last {
                return;
            }
        }
    };
    (work, ready)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    #[test]
    fn results_come_in_order_and_then_none() {
        let mut next = 0;
        let mut ahead = Ahead::start(3, move || {
            next += 1;
            (next <= 50).then_some(Ok(next))
        });
        let mut taken = Vec::new();
        while let Some(made) = ahead.wait().unwrap() {
            taken.push(made);
        }
        assert_eq!(taken, (1..=50).collect::<Vec<_>>());
        assert_eq!((ahead.poll().unwrap(), ahead.wait_for(Duration::ZERO).unwrap()), (None, None));
    }

    #[test]
    fn no_more_is_made_ahead_than_was_asked_for() {
        let made = Arc::new(AtomicUsize::new(0));
        let count = made.clone();
        let mut ahead = Ahead::start(2, move || Some(Ok(count.fetch_add(1, SeqCst))));
        for taken in 0..20 {
            assert_eq!(ahead.wait().unwrap(), Some(taken));
            std::thread::sleep(Duration::from_millis(2));
            // Those taken, two that wait, one that was made and finds no room.
            assert!(made.load(SeqCst) <= taken + 1 + 3);
        }
    }

    #[test]
    fn an_error_comes_in_its_place_and_ends_it() {
        let mut next = 0;
        let mut ahead = Ahead::start(1, move || {
            next += 1;
            Some(if next == 2 { Err(Error::Usage("two".into())) } else { Ok(next) })
        });
        assert_eq!(ahead.wait().unwrap(), Some(1));
        assert_eq!(ahead.wait().unwrap_err().to_string(), "two");
        assert_eq!(ahead.wait().unwrap(), None);
    }

    #[test]
    fn a_thread_of_a_scope_makes_of_what_it_borrows() {
        let words = ["one".to_owned(), "two".to_owned()];
        let taken = thread::scope(|scope| {
            let mut each = words.iter();
            let mut ahead = Ahead::within(scope, 0, move || each.next().map(|word| Ok(word.as_str())));
            [ahead.wait().unwrap(), ahead.wait().unwrap(), ahead.wait().unwrap()]
        });
        assert_eq!(taken, [Some("one"), Some("two"), None]);
    }

    #[test]
    #[should_panic(expected = "on its own thread")]
    fn a_panic_goes_on_where_the_results_are_taken() {
        let mut ahead: Ahead<()> = Ahead::start(1, || panic!("on its own thread"));
        let _ = ahead.wait();
    }
}
