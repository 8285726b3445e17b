-- The CRM's number of an order by the CRM's own word, or a person's, where a look for the order's own number need not find it;
-- 0 where it is not known which. Such an order never goes again.
ALTER TABLE orders ADD COLUMN said_crm_id BIGINT;
UPDATE orders SET said_crm_id = 0 WHERE state IN ('unconfirmed', 'disputed') AND EXISTS (
  SELECT 1 FROM order_events e WHERE e.seq = orders.seq AND e.note LIKE '%success with another number%');
