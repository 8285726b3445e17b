# Why an order is in its state.

reason-address-refused = The CRM answered that its address is not there (404): check the account's `url`. The orders that wait go once it is right.
reason-another-row = The CRM shows another order under this number than the one it answered with. Look which of them is this one and enter its number; if both are, merge them there first.
reason-anothers-number = The CRM has another order with this number, from before this one was sent. If it is the same purchase, enter its number in the CRM; if not, cancel this one and let it come under another number.
reason-anothers-row = What was found in the CRM is another order of yours already. Look there: if this one has its own, enter its number; if it is the same purchase, cancel this one.
reason-asked = It is looked up once more, as a person asked. It is sent only if it is not in the CRM.
reason-bulk = It went together with others; which of them arrived is looked up in the CRM's list.
reason-by-hand = It is not in the CRM, and this account sends nothing again without a person. Look in the CRM; then “Look it up again” sends it if it is really not there.
reason-card-unseen = Among the CRM's cards it was not found, and cards have no number to be sure by. Look there; then “Look it up again” sends it if it is not found once more.
reason-cards-unread = The CRM has more cards than could be read, so whether this one is there is not known. Look there yourself: if you find it, enter its number; if not, make it by hand and enter that number.
reason-connection-lost = The connection broke before the CRM answered.
reason-interrupted = Parom stopped while it was on its way.
reason-key-refused = The CRM does not accept the account's key. The orders that wait go once the key is right.
reason-not-sent = It was not sent yet: the account rests, or this machine was too slow.
reason-not-the-crm = Something that is not the CRM answered: a proxy or a firewall on the way to it.
reason-not-there = The CRM has no order of the number that was entered. Look there and enter the right one; if it is not there, make it by hand and enter that number.
reason-number-taken = The CRM says that this number is taken; whose it is, is being looked up.
reason-other-number = The CRM answered that it took it, and which order of the CRM it is, is being looked up. It is not sent again.
reason-rate-limited = The CRM asked for a rest: its limit of requests was met.
reason-refused = The channel refuses such orders (`on_invalid = "reject"`): its sender was told why.
reason-resend = Twice looked for, it was not in the CRM: it goes again.
reason-restored = It may have gone before the store was restored.
reason-sent-before = An order with this number was in the CRM before the store was restored. Most likely it is this one: look, and enter its number.
reason-server-error = The CRM answered with an error of its own.
reason-several = The CRM has this order more than once. Merge them there, then enter the number of what is left.
reason-taken-elsewhere = The CRM answered that it took the order, and shows none of ours with this number. Look in the CRM at the number that is offered here. It is never sent again: if there is none, make it in the CRM by hand and enter its number.
reason-taken-unseen = The CRM says that the number is taken, and shows no order with it. Look there, in the bin too. If you find it, enter its number; if not, make it there by hand and enter that number.
reason-three-times = It was sent three times and is not in the CRM. Look there first; then “Look it up again” sends it once more if it is really not there.
reason-unexpected-answer = The CRM's answer does not say what became of the order.
reason-unreachable = The CRM could not be reached; it is tried again.
