//! A change that is asked for twice within a day is answered the same, also by another process.

use registry::{Earlier, KeptAnswer};

use super::*;

const DAY: i64 = 86_400;

fn answer(body: Option<&str>) -> KeptAnswer {
    KeptAnswer { status: 201, body: body.map(str::to_owned) }
}

#[tokio::test]
async fn an_answer_is_kept_for_a_day_and_no_longer() {
    let world = World::new().await;
    let (ann, asked) = (name("ann"), [1; 32]);
    let take = async |at: i64| {
        // Another process opens the same file.
        let registry = Registry::open(&world.path()).await.unwrap();
        registry.take_key(&ann, "k", &asked, NOON.plus(at)).await.unwrap()
    };
    assert_eq!(take(0).await, Earlier::New);
    assert_eq!(take(1).await, Earlier::Unanswered, "nobody knows what became of it");
    world.registry.keep_answer(&ann, "k", &answer(Some("{}"))).await.unwrap();
    assert_eq!(take(DAY).await, Earlier::Answered(answer(Some("{}"))));
    assert_eq!(take(DAY + 1).await, Earlier::New);
}

#[tokio::test]
async fn a_key_is_one_operators_and_one_requests() {
    let world = World::new().await;
    let (ann, bob) = (name("ann"), name("bob"));
    let take = async |who: &PartyName, asked: u8| {
        world.registry.take_key(who, "k", &[asked; 32], NOON).await.unwrap()
    };
    assert_eq!(take(&ann, 1).await, Earlier::New);
    world.registry.keep_answer(&ann, "k", &answer(None)).await.unwrap();
    assert_eq!(take(&ann, 2).await, Earlier::Other);
    assert_eq!(take(&bob, 2).await, Earlier::New);
    assert_eq!(take(&ann, 1).await, Earlier::Answered(answer(None)), "its body was shown once");
    world.registry.release_key(&ann, "k").await.unwrap();
    assert_eq!(take(&ann, 2).await, Earlier::New, "what failed may be tried again");
    assert_eq!(take(&bob, 2).await, Earlier::Unanswered, "others' stay");
}
