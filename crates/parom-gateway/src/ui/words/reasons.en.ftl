# Why an order is in its state.

reason-address-refused = The CRM answered that its address is not there (404): check the account's `api_url`. What waits goes once it is right.
reason-another-row = Looked at again later, the CRM shows another order under this number.
reason-anothers-number = The CRM has another order with this number, from before this one was sent. If it is not the same purchase, cancel this one and let it come under another number.
reason-anothers-row = What was found in the CRM is another order of yours already.
reason-asked = A person asked to look it up again. It is sent only if it is not in the CRM.
reason-bulk = It went together with others; which of them arrived is looked up in the CRM's list.
reason-by-hand = It is not in the CRM, and this account sends nothing again without a person. Look in the CRM, then have it looked up again.
reason-card-unseen = Among the CRM's cards it was not found, and cards have no number to be sure by. Look there before it is sent again.
reason-connection-lost = The connection broke before the CRM answered.
reason-interrupted = Parom stopped while it was on its way.
reason-key-refused = The CRM does not accept the account's key. What waits goes once the key is right.
reason-not-sent = It was not sent yet: the account rests, or this machine was too slow.
reason-not-the-crm = Something that is not the CRM answered: a proxy or a firewall on the way to it.
reason-number-taken = The CRM says that this number is taken; whose it is, is being looked up.
reason-other-number = The CRM took it, and answered with another number. It is not sent again.
reason-rate-limited = The CRM asked for a rest: its limit of requests was met.
reason-resend = Twice looked for, it was not in the CRM: it goes again.
reason-restored = It may have gone before the store was restored.
reason-sent-before = An order with this number was in the CRM before the store was restored. Most likely it is this one: look, and say so.
reason-server-error = The CRM answered with an error of its own.
reason-several = The CRM has this order more than once. Merge them there, then cancel it here.
reason-taken-elsewhere = The CRM answered that it took the order, under another number, and shows none with this one. Look in the CRM at the number that is offered here. It is never sent again: if there is none, cancel it and let it come again.
reason-taken-unseen = The CRM says that the number is taken, and shows no order with it. Look there, in the bin too.
reason-three-times = It was sent three times and is not in the CRM. Look in the CRM first, then have it looked up again.
reason-unexpected-answer = The CRM's answer does not say what became of the order.
reason-unreachable = The CRM could not be reached; it is tried again.
