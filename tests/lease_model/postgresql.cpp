// PostgreSQL in the small world: it executes requests, sends notices, and keeps the nodes' rows.
#include "tests/lease_model/messages.hpp"
#include "tests/lease_model/world.hpp"

#include <utility>

namespace lease_model {

/// Whether acknowledgements reach a node.
bool world::hears(std::size_t which) const
{
    return nodes_[which].listens && (which != 0 || setup_->reception != recall_tracker::reception::none);
}

void world::notify(std::size_t which, const notice& what)
{
    auto& of = nodes_[which];
    if (of.listens && !of.cores.empty()) // others ignore it
        push_new(of.notices, what);
}

std::vector<db::node_record> world::rows_but(std::size_t which) const
{
    std::vector<db::node_record> out;
    for (std::size_t i = 0; i < nodes_.size(); ++i)
        if (i != which && nodes_[i].row)
            out.push_back(*nodes_[i].row);
    return out;
}

/// PostgreSQL executes the next request of a node.
void world::execute(std::size_t which)
{
    auto& of = nodes_[which];
    auto next = std::move(of.requests.front());
    of.requests.erase(of.requests.begin());
    if (next.kind == request::kind_type::listen)
        of.listens = true;
    if (auto sent = answer(which, std::move(next)))
        of.replies.push_back(std::move(*sent));
}

/// PostgreSQL executes the next request of a lost connection.
void world::execute_orphan(std::size_t which, std::size_t connection)
{
    auto& of = nodes_[which].orphans[connection];
    auto next = std::move(of.front());
    of.erase(of.begin());
    answer(which, std::move(next));
    std::erase_if(nodes_[which].orphans, [](auto& each) { return each.empty(); });
}

std::optional<reply> world::answer(std::size_t which, request next)
{
    using kind = request::kind_type;
    auto& of = nodes_[which];
    reply out{next.kind, next.id, true, 0, now_, {}, next.sent};
    switch (next.kind) {
    case kind::listen:
        break;
    case kind::register_node:
        out.accepted = !of.row || of.row_request < next.id;
        if (!out.accepted)
            break;
        of.row =
            db::node_record{node_id(which), ++last_epoch_, of.row ? of.row->renewals + 1 : 1, setup_->lease};
        of.row_request = next.id;
        of.fenced = false;
        out.epoch = last_epoch_;
        break;
    case kind::renew:
        out.accepted = of.row && of.row->epoch == next.epoch && !of.fenced;
        if (out.accepted)
            ++of.row->renewals;
        break;
    case kind::observe:
        out.rows = rows_but(which);
        break;
    case kind::look:
        for (std::size_t i = 0; i < next.changes.size(); ++i)
            notify(node_of(next.others[i]),
                   {notice::kind_type::end, key_of(next.changes[i]), next.changes[i], node_id(which)});
        out.rows = rows_but(which);
        break;
    case kind::acknowledge:
        for (std::size_t i = 0; i < next.changes.size(); ++i)
            if (hears(node_of(next.others[i])))
                push_new(nodes_[node_of(next.others[i])].notices,
                         notice{notice::kind_type::acknowledged, 0, next.changes[i], node_id(which)});
        return std::nullopt;
    }
    return out;
}

void world::fence(std::size_t which)
{
    auto next = std::move(nodes_[which].fences.front());
    nodes_[which].fences.erase(nodes_[which].fences.begin());
    for (auto& target : next.targets) {
        auto& of = nodes_[node_of(target.node)];
        if (of.row && of.row->epoch == target.epoch)
            of.fenced = true;
    }
}

} // namespace lease_model
