//! Which of several nodes delivers for which account. Every node decides by itself, from the same rows, and all come to the
//! same: nobody hands work out.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

/// A node that was seen lately.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// The accounts that its configuration has.
    pub accounts: BTreeSet<String>,
}

/// What a node does now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moves {
    /// Accounts whose lease it takes.
    pub take: Vec<String>,
    /// Accounts whose lease it lets go, when what is under way has ended.
    pub release: Vec<String>,
}

/// The node whose account it is: of those that have it, the one with the highest number. When a node comes or goes, only
/// its own share moves.
#[must_use]
pub fn owner<'n>(account: &str, nodes: &'n [Node]) -> Option<&'n str> {
    let weight =
        |node: &&Node| Sha256::new().chain_update(account).chain_update([0]).chain_update(&node.name).finalize();
    let able = nodes.iter().filter(|node| node.accounts.contains(account));
    able.max_by_key(|node| (weight(node), &node.name)).map(|node| node.name.as_str())
}

/// What `me` does, where `held` says by whom each account's lease is held now.
#[must_use]
pub fn moves(me: &str, nodes: &[Node], held: &BTreeMap<String, String>) -> Moves {
    let mut moves = Moves::default();
    let Some(own) = nodes.iter().find(|node| node.name == me) else {
        return moves;
    };
    for account in &own.accounts {
        let mine = owner(account, nodes) == Some(me);
        match held.get(account) {
            None if mine => moves.take.push(account.clone()),
            Some(holder) if holder == me && !mine => moves.release.push(account.clone()),
            _ => {}
        }
    }
    moves
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(names: &[&str], accounts: usize) -> Vec<Node> {
        let accounts: BTreeSet<String> = (0..accounts).map(|number| format!("shop-{number}")).collect();
        names.iter().map(|name| Node { name: (*name).into(), accounts: accounts.clone() }).collect()
    }

    #[test]
    fn each_account_has_one_owner_and_nodes_have_like_shares() {
        let three = nodes(&["a", "b", "c"], 1_000);
        let held = BTreeMap::new();
        let takes: Vec<usize> = three.iter().map(|node| moves(&node.name, &three, &held).take.len()).collect();
        assert_eq!(takes.iter().sum::<usize>(), 1_000);
        assert!(takes.iter().all(|count| (250..420).contains(count)), "{takes:?}");
    }

    #[test]
    fn a_node_that_comes_gets_its_share_and_nothing_else_moves() {
        let (two, three) = (nodes(&["a", "b"], 1_000), nodes(&["a", "b", "c"], 1_000));
        let held: BTreeMap<String, String> =
            two[0].accounts.iter().map(|a| (a.clone(), owner(a, &two).unwrap().to_owned())).collect();
        let (a, b, c) = (moves("a", &three, &held), moves("b", &three, &held), moves("c", &three, &held));
        assert_eq!((a.take.len(), b.take.len(), c.take.len()), (0, 0, 0), "what is held is not taken");
        let released: BTreeSet<&String> = a.release.iter().chain(&b.release).collect();
        assert!(released.iter().all(|account| owner(account, &three) == Some("c")));
        assert_eq!(released.len(), three[0].accounts.iter().filter(|a| owner(a, &three) == Some("c")).count());
    }

    #[test]
    fn an_account_is_of_a_node_that_knows_it() {
        let mut two = nodes(&["a", "b"], 50);
        two[1].accounts.clear();
        assert_eq!(moves("a", &two, &BTreeMap::new()).take.len(), 50);
        assert_eq!(moves("b", &two, &BTreeMap::new()), Moves::default());
        assert_eq!(moves("stranger", &two, &BTreeMap::new()), Moves::default());
    }
}
